import type { Hono } from 'hono';
import * as v from 'valibot';
import { jsonBytesSchema } from '../json-bytes.ts';
import { bytesOf, jsonBytesMax, jsonOf } from './body.ts';
import { type KvServices, queryOf } from './context.ts';
import { keyNotFound, readKey } from './read-key.ts';
import { checked, replicate } from './replicate.ts';
import { type Bindings, keyIn } from './target.ts';

/** `/kv/KEY`, `/append/KEY` and `/cas/KEY`: everything about one key. */
export function keyRoutes(app: Hono<{ Bindings: Bindings }>, services: KvServices): void {
  const { limits } = services;

  app.get('/kv/*', async (c) => {
    const key = keyIn(c.req.path, '/kv/', limits.keyBytesMax);
    const { value, headers } = await readKey(services, key, queryOf(c));
    for (const [name, text] of Object.entries(headers)) c.header(name, text);
    if (value === null) throw keyNotFound();
    return c.body(value as Uint8Array<ArrayBuffer>);
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
