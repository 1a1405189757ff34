import type { Draft } from './draft.ts';
import type { AdminResult } from './output.ts';
import type { RequestId } from './types.ts';

/** Answers an operator. */
export function answerAdmin(draft: Draft, id: RequestId, result: AdminResult): void {
  draft.outputs.push({ type: 'adminRes', id, result });
}
