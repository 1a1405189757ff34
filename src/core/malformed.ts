import { answerAdmin } from './admin.ts';
import { fault } from './fault.ts';
import type { Campaign, Input } from './input.ts';
import type { Fault } from './output.ts';
import { refuseRead } from './reads.ts';
import type { Work } from './work.ts';
import { refuseWrite } from './writes.ts';

/** Bad input is answered where there is someone to answer, and changes nothing (design §3). */
export function onMalformed(work: Work, input: Input, detail: string): Fault | undefined {
  const reason = { type: 'invalid', detail } as const;
  if (input?.type === 'write' && Number.isSafeInteger(input.id)) refuseWrite(work, input.id, reason);
  else if (input?.type === 'read' && Number.isSafeInteger(input.id)) refuseRead(work, input.id, reason);
  else if (isOperators(input?.type) && Number.isSafeInteger((input as Campaign).id))
    answerAdmin(work, (input as Campaign).id, { type: 'refused', reason });
  else return fault(scopeOf(input?.type), 'malformedInput', { problem: detail });
  return undefined;
}

function isOperators(type: Input['type'] | undefined): boolean {
  return (
    type === 'campaign' || type === 'changeMembers' || type === 'transferLeadership' || type === 'compact'
  );
}

function scopeOf(type: Input['type'] | undefined): Fault['scope'] {
  if (type === 'message') return 'peer';
  const isRequest = type === 'write' || type === 'read' || isOperators(type);
  return isRequest || type === undefined ? 'request' : 'self';
}
