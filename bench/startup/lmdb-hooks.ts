/** Module hooks: whoever imports `lmdb` gets `counted-lmdb.ts`, which itself gets the real one. */
import type { ResolveHook } from 'node:module';

const counted = new URL('counted-lmdb.js', import.meta.url).href;

export const resolve: ResolveHook = (specifier, context, next) =>
  specifier === 'lmdb' && context.parentURL !== counted
    ? { url: counted, shortCircuit: true }
    : next(specifier, context);
