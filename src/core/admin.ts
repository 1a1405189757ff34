import type { AdminResult } from './output.ts';
import type { RequestId } from './types.ts';
import type { Work } from './work.ts';

/** Answers an operator. */
export function answerAdmin(work: Work, id: RequestId, result: AdminResult): void {
  work.outputs.push({ type: 'adminRes', id, result });
}
