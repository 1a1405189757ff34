import type { Hono } from 'hono';
import * as v from 'valibot';
import { nodeIdSchema } from '../config/members.ts';
import { jsonOf } from './body.ts';
import { type KvServices, nodeOf, queryOf } from './context.ts';
import { membershipSchema } from './member-changes.ts';
import { changeMembers, configurationAt, transferLeadership, whenFree } from './membership.ts';
import { requestOptions } from './requests.ts';
import { memberBody } from './status-body.ts';
import type { Bindings } from './target.ts';

/** The longest body of an operator's request. */
const bodyBytesMax = 64 * 1024;

/** `/admin/…`: what an operator asks, answered when it has taken effect. */
export function adminRoutes(app: Hono<{ Bindings: Bindings }>, services: KvServices): void {
  app.post('/admin/members', async (c) => {
    const body = { what: 'a change of members', bytesMax: bodyBytesMax, example: membersExample };
    const request = await jsonOf(c.req.raw, membershipSchema, body);
    const { timeoutMs = services.limits.timeoutMs } = requestOptions(queryOf(c));
    const node = nodeOf(services);
    const members = await changeMembers(node, request, timeoutMs);
    return c.json({
      configurationIndex: configurationAt(node)?.index ?? null,
      leaderId: node.status().leaderId,
      members: members.map(memberBody),
    });
  });

  app.post('/admin/transfer', async (c) => {
    const body = { what: 'a transfer', bytesMax: bodyBytesMax, example: '{"to": "n2"}', ifEmpty: {} };
    const { to } = await jsonOf(c.req.raw, transferSchema, body);
    const { timeoutMs = services.limits.timeoutMs } = requestOptions(queryOf(c));
    const { leaderId, term, members } = await transferLeadership(nodeOf(services), to, timeoutMs);
    return c.json({ leaderId, term, members: members.map(memberBody) });
  });

  app.post('/admin/snapshot', async (c) => {
    const { timeoutMs = services.limits.timeoutMs } = requestOptions(queryOf(c));
    const node = nodeOf(services);
    await whenFree((ms) => node.snapshot({ timeoutMs: ms }), timeoutMs);
    const { id, snapshotIndex, firstIndex, lastIndex, members } = node.status();
    return c.json({ id, snapshotIndex, firstIndex, lastIndex, members: members.map(memberBody) });
  });
}

const transferSchema = v.pipe(
  v.unknown(),
  v.check((given) => !Array.isArray(given), 'expected an object, not a list'), // Which is an object to what follows.
  v.strictObject({ to: v.optional(nodeIdSchema) }),
);
const membersExample =
  '{"add": {"id": "n4", "url": "ws://10.0.0.4:7101"}}, {"remove": "n1"}, or {"change": [{"promote": "n4"}, {"remove": "n1"}]}';
