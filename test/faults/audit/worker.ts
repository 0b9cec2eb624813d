import { openShop, type ShopOptions } from './shop.js';
import { type Visit, visit } from './visit.js';

/** A process of the shop is started with this, as JSON in its first argument. */
export interface Role {
  readonly shop: ShopOptions;
  readonly visit: Visit;
}

const role = JSON.parse(process.argv[2] as string) as Role;
const shop = openShop(role.shop);
const visited = await visit(shop, { ...role.visit, tell: (audited) => void process.send?.({ audited }) });
await shop.close();
process.send?.({ visited });
process.disconnect?.();
