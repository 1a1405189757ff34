import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { WriteCall } from '../../../src/transport/client/calls.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** Makes a call, answers it, and keeps nothing of it but a look at what it was answered with. */
function answered(): WeakRef<object> {
  const result = { large: true };
  new WriteCall(new Uint8Array(1), { deadlineMs: 1, order: 1 }).resolve(result);
  return new WeakRef(result);
}

it('the last call of all leaves memory with the answer that it had', async () => {
  const result = answered();

  for (let at = 0; at < 10 && result.deref() !== undefined; at++) {
    await turn(); // What was looked at in this turn is kept until its end.
    collectGarbage();
  }

  expect(result.deref()).toBe(undefined);
});
