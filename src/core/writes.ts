import { lastOf } from './batch.ts';
import type { Write } from './input.ts';
import type { Refusal } from './output.ts';
import { propose } from './replication.ts';
import { appended } from './shared-list.ts';
import type { RequestId } from './types.ts';
import type { Work } from './work.ts';

/** Commands of a client: appended at once, answered once applied (§5.3). */
export function onWrite(work: Work, write: Write): void {
  const { draft } = work;
  const { role } = draft;
  if (role.type !== 'leader') {
    const leaderId = role.type === 'follower' ? (role.leader?.id ?? null) : null;
    return refuseWrite(work, write.id, { type: 'notLeader', leaderId });
  }
  if (draft.writes.length >= draft.config.pendingWritesMax) {
    return refuseWrite(work, write.id, { type: 'overloaded' });
  }
  if (role.transfer !== null)
    return refuseWrite(work, write.id, { type: 'transferring', to: role.transfer.to.id });
  const { payload, payloadChecksum, count } = write;
  const bytes = payload.length;
  if (draft.writeBytes > 0 && draft.writeBytes + bytes > draft.config.uncommittedBytesMax) {
    return refuseWrite(work, write.id, { type: 'overloaded' });
  }
  const batch = propose(work, role, { kind: 'command', payload, payloadChecksum, count });
  const pending = { id: write.id, index: batch.index, lastIndex: lastOf(batch), term: batch.term, bytes };
  draft.writes = appended(draft.writes, pending);
  draft.writeBytes += bytes;
}

/** Answers a write that was never appended: it is safe to retry (rule 22). */
export function refuseWrite(work: Work, id: RequestId, reason: Refusal): void {
  work.outputs.push({ type: 'writeRes', id, result: { type: 'notCommitted', reason } });
}
