import { from, lastValueFrom, Subject, take, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { ClientCommitted, ClientRequestOptions } from '../../../src/transport/client/index.ts';
import { writeWith } from '../../../src/transport/client/index.ts';

/** A client whose writes the test answers. */
class PatientClient {
  readonly asked: { command: string; signal: AbortSignal; resolve: () => void; reject: () => void }[] = [];

  write(command: string, { signal }: ClientRequestOptions = {}): Promise<ClientCommitted<string>> {
    return new Promise((resolve, reject) => {
      this.asked.push({
        command,
        signal: signal as AbortSignal,
        resolve: () => resolve({ index: 1, term: 1, result: command.toUpperCase() }),
        reject: () => reject(new Error(`${command} failed`)),
      });
    });
  }
}

describe('commands written with an operator', () => {
  it('are under way together up to the bound, and come out in the order of their answers', async () => {
    const client = new PatientClient();
    const results = lastValueFrom(
      from(['a', 'b', 'c']).pipe(writeWith(client, { concurrency: 2 }), toArray()),
    );

    expect(client.asked.map(({ command }) => command)).toEqual(['a', 'b']);
    client.asked[1]?.resolve();
    await new Promise(setImmediate);
    expect(client.asked.map(({ command }) => command)).toEqual(['a', 'b', 'c']);
    client.asked[2]?.resolve();
    client.asked[0]?.resolve();

    expect((await results).map(({ result }) => result)).toEqual(['B', 'C', 'A']);
  });

  it('are given up when nobody wants them any more', async () => {
    const client = new PatientClient();
    const first = lastValueFrom(new Subject<string>().pipe(writeWith(client)), { defaultValue: null });
    const taken = lastValueFrom(from(['a', 'b']).pipe(writeWith(client), take(1)));

    client.asked[0]?.resolve();
    await taken;

    expect(client.asked[1]?.signal.aborted).toBe(true);
    expect(first).toBeInstanceOf(Promise);
  });

  it('end with the first that fails, and the others are given up', async () => {
    const client = new PatientClient();
    const all = lastValueFrom(from(['a', 'b']).pipe(writeWith(client)));

    client.asked[0]?.reject();

    await expect(all).rejects.toThrow('a failed');
    expect(client.asked[1]?.signal.aborted).toBe(true);
  });
});
