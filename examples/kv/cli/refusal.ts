import type { Output } from './output.ts';

/** What a command that can't do what it was asked says to programs. */
export interface Refusal {
  /** `USAGE`, `CONFIGURATION`, or that of an error that a server or the library gave. */
  readonly code: string;
  readonly message: string;
}

/** Says what went wrong where nothing was changed: to a person, in `words` if they differ, and under `--json` to a program. */
export function refuse(output: Output, { code, message }: Refusal, words = message): void {
  output.json({ error: { code, message, outcome: 'notCommitted' } });
  output.fail(words);
}
