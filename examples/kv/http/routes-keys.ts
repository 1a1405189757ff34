import type { Hono } from 'hono';
import * as v from 'valibot';
import { jsonBytesSchema, toJsonBytes } from '../json-bytes.ts';
import type { KvOp } from '../kv-command.ts';
import { jsonBytesMax, jsonOf } from './body.ts';
import { type KvLimits, type KvServices, nodeOf, queryOf } from './context.ts';
import { checked, replicate } from './replicate.ts';
import { originOf, readOptions } from './requests.ts';
import type { Bindings } from './target.ts';

/** Operations in one batch. It is one command, and a machine applies it in one go. */
export const batchOpsMax = 1_000;

/** Entries in one answer to `/range`, and what it gives when the request does not say. */
export const rangeLimitMax = 1_000;
const rangeLimitDefault = 100;

/** `/batch` and `/range`: several keys at once. */
export function keysRoutes(app: Hono<{ Bindings: Bindings }>, services: KvServices): void {
  const { limits } = services;

  app.post('/batch', async (c) => {
    const body = { what: 'a batch', bytesMax: jsonBytesMax(limits), example: batchExample };
    const given = await jsonOf(c.req.raw, batchSchema, body);
    const ops = given.map((each) => checked(opOf(each, limits), limits));
    return replicate(c, services, { type: 'batch', ops });
  });

  app.get('/range', async (c) => {
    const query = queryOf(c);
    const prefix = query.bytes('prefix') ?? new Uint8Array(0);
    const from = query.bytes('from') ?? prefix;
    const limit = query.integer('limit', { min: 1, max: rangeLimitMax }) ?? rangeLimitDefault;
    const node = nodeOf(services);
    const options = readOptions(query);
    const answer = await node.read({ type: 'range', prefix, from, limit }, options);
    if (answer.value.type !== 'range') throw new Error('the machine answered another question');
    const { entries, next } = answer.value;
    const items = entries.map(([key, value]) => ({ key: toJsonBytes(key), value: toJsonBytes(value) }));
    const body = { index: answer.index, items, next: next === null ? null : toJsonBytes(next) };
    return c.json(body, 200, originOf(answer, options));
  });
}

const opSchema = v.variant('op', [
  v.strictObject({ op: v.literal('put'), key: jsonBytesSchema, value: jsonBytesSchema }),
  v.strictObject({ op: v.literal('delete'), key: jsonBytesSchema }),
  v.strictObject({ op: v.literal('append'), key: jsonBytesSchema, value: jsonBytesSchema }),
  v.strictObject({
    op: v.literal('cas'),
    key: jsonBytesSchema,
    expect: v.nullable(jsonBytesSchema),
    value: jsonBytesSchema,
  }),
]);

const batchSchema = v.pipe(
  v.array(opSchema, 'expected a list of operations'),
  v.minLength(1, 'expected at least one operation'),
  v.maxLength(batchOpsMax, `expected at most ${batchOpsMax} operations`),
);

const batchExample = '[{"op": "put", "key": "a", "value": "1"}, {"op": "delete", "key": "b"}]';

function opOf(given: v.InferOutput<typeof opSchema>, limits: KvLimits): KvOp {
  switch (given.op) {
    case 'put':
      return { type: 'put', key: given.key, value: given.value };
    case 'delete':
      return { type: 'delete', key: given.key };
    case 'append':
      return { type: 'append', key: given.key, value: given.value, valueBytesMax: limits.valueBytesMax };
    case 'cas':
      return { type: 'cas', key: given.key, expect: given.expect, value: given.value };
  }
}
