import { type Form, ofTexts, type Texts, toTexts } from '../../src/adapter/index.js';
import { isDecimal } from './arguments.js';
import type { Operation, PrismaClientLike } from './internals.js';

type Made = new (text: string) => unknown;

/**
 * Results of Prisma are data but for decimals, of a class that has as many copies as there are clients and module
 * systems: this client's own is the one that it makes of a decimal of any other.
 */
export function formOf(client: PrismaClientLike): Form<any> {
  let own: Made | undefined;
  const find = async (): Promise<Made> => {
    const $allOperations = async ({ args }: Operation) => {
      own = args[1].constructor;
    };
    // It goes no further than to its arguments.
    const finding = client.$extends({ query: { $allOperations } });
    await finding.$queryRawUnsafe('', { s: 1, e: 0, d: [1], toFixed: () => '1' });
    return own as Made;
  };
  return {
    pack: (result) =>
      toTexts(result, (value) => {
        if (!isDecimal(value)) return false;
        own = value.constructor;
        return true;
      }),
    unpack: (packed: Texts) => {
      if (packed.at === undefined) return packed.value;
      const made = (of: Made) => ofTexts(packed, (text) => new of(text));
      return own === undefined ? find().then(made) : made(own);
    },
  };
}
