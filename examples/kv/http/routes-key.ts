import type { Hono } from 'hono';
import * as v from 'valibot';
import { jsonBytesSchema } from '../json-bytes.ts';
import { bytesOf, jsonBytesMax, jsonOf } from './body.ts';
import { type KvServices, nodeOf, queryOf } from './context.ts';
import { KvError } from './errors.ts';
import { checked, replicate } from './replicate.ts';
import { readOptions, tellOrigin } from './requests.ts';
import { type Bindings, keyIn } from './target.ts';

/** `/kv/KEY`, `/append/KEY` and `/cas/KEY`: everything about one key. */
export function keyRoutes(app: Hono<{ Bindings: Bindings }>, services: KvServices): void {
  const { limits } = services;

  app.get('/kv/*', async (c) => {
    const key = keyIn(c.req.path, '/kv/', limits.keyBytesMax);
    const answer = await nodeOf(services).read({ type: 'get', key }, readOptions(queryOf(c)));
    tellOrigin(c, answer);
    if (answer.value.type !== 'get' || answer.value.value === null) {
      throw new KvError(404, 'KV_NOT_FOUND', 'the key is not there');
    }
    c.header('content-type', 'application/octet-stream');
    c.header('x-content-type-options', 'nosniff'); // Whatever was stored, a browser must not run it.
    return c.body(answer.value.value as Uint8Array<ArrayBuffer>);
  });

  app.put('/kv/*', async (c) => {
    const key = keyIn(c.req.path, '/kv/', limits.keyBytesMax);
    const value = await bytesOf(c.req.raw, { what: 'a value', bytesMax: limits.valueBytesMax });
    return replicate(c, services, { type: 'put', key, value });
  });

  app.delete('/kv/*', async (c) => {
    const key = keyIn(c.req.path, '/kv/', limits.keyBytesMax);
    return replicate(c, services, { type: 'delete', key });
  });

  app.post('/append/*', async (c) => {
    const key = keyIn(c.req.path, '/append/', limits.keyBytesMax);
    const value = await bytesOf(c.req.raw, { what: 'a value', bytesMax: limits.valueBytesMax });
    return replicate(c, services, { type: 'append', key, value, valueBytesMax: limits.valueBytesMax });
  });

  app.post('/cas/*', async (c) => {
    const key = keyIn(c.req.path, '/cas/', limits.keyBytesMax);
    const body = { what: 'a compare-and-swap', bytesMax: jsonBytesMax(limits), example: casExample };
    const { expect, value } = await jsonOf(c.req.raw, casSchema, body);
    return replicate(c, services, checked({ type: 'cas', key, expect, value }, limits));
  });
}

const casSchema = v.strictObject({ expect: v.nullable(jsonBytesSchema), value: jsonBytesSchema });
const casExample = '{"expect": "the old value, or null", "value": "the new value"}';
