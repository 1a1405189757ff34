import type { Commit, SessionCommand } from 'rxraft';
import { toJsonBytes } from '../json-bytes.ts';
import type { KvCommand, KvOp } from '../kv-command.ts';

/**
 * A committed command as a Server-Sent Event, or `null` if it has nothing to do with `prefix`.
 *
 * The event tells the command, not what it did: a `cas` may have found another value, and a `delete` nothing.
 * Of a batch it tells the operations whose keys have the prefix. A command of a session comes with its
 * `session` and `sequence`: retried, it is in the log more than once, and carried out once at most.
 */
export function watchEvent(
  { index, term, logTimeMs, command }: Commit<SessionCommand<KvCommand>>,
  prefix: Uint8Array,
): string | null {
  if (command.type === 'open') return null;
  const facts = factsOf(command.command, prefix);
  if (facts === null) return null;
  const { type: _, command: __, ...stamp } = command;
  return `id: ${index}\ndata: ${JSON.stringify({ index, term, logTimeMs, ...facts, ...stamp })}\n\n`;
}

function factsOf(command: KvCommand, prefix: Uint8Array): object | null {
  switch (command.type) {
    case 'batch': {
      const ops = command.ops.filter((op) => hasPrefix(op.key, prefix));
      return ops.length === 0 ? null : { op: 'batch', ops: ops.map(opFacts) };
    }
    case 'unreadable':
      return prefix.byteLength === 0 ? { op: 'unreadable' } : null;
    default:
      return hasPrefix(command.key, prefix) ? opFacts(command) : null;
  }
}

function opFacts(op: KvOp): object {
  const key = toJsonBytes(op.key);
  switch (op.type) {
    case 'put':
    case 'append':
      return { op: op.type, key, value: toJsonBytes(op.value) };
    case 'delete':
      return { op: op.type, key };
    case 'cas': {
      const expect = op.expect === null ? null : toJsonBytes(op.expect);
      return { op: op.type, key, expect, value: toJsonBytes(op.value) };
    }
  }
}

function hasPrefix(key: Uint8Array, prefix: Uint8Array): boolean {
  return Buffer.compare(key.subarray(0, prefix.byteLength), prefix) === 0;
}
