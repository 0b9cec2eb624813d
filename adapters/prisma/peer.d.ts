/**
 * Stands in for `@prisma/client/runtime/client`, which the project does not install: the names that are used, so that the
 * sources check without it. Users, and the type tests in `test/prisma`, have the real ones.
 */
export interface Fn<Params = unknown, Returns = unknown> {
  params: Params;
  returns: Returns;
}
export type Call<F extends Fn, P> = (F & { params: P })['returns'];
export type InternalArgs = Record<'result' | 'model' | 'query' | 'client', object>;
export type TypeMapDef = Record<any, any>;
export type TypeMapCbDef = Fn<{ extArgs: InternalArgs }, TypeMapDef>;
export interface ExtendsHook<Variant extends 'extends' | 'define', Cb extends TypeMapCbDef, Args, Map = unknown> {
  readonly of: [Variant, Cb, Args, Map];
}
export type DynamicClientExtensionThis<Map extends TypeMapDef, Cb extends TypeMapCbDef, Args> = [Map, Cb, Args];
