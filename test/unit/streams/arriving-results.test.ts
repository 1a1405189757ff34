import { jsonCodec } from 'rxraft';
import { describe, expect, it } from 'vitest';
import { encodePayload } from '../../../src/core/index.ts';
import type { RequestError } from '../../../src/streams/errors.ts';
import { WriteQueue } from '../../../src/streams/write-queue.ts';
import { NotedRoutes } from './noted-routes.ts';

const limits = { batchBytesMax: 1000, batchCountMax: 10, pendingMax: 100, pendingBytesMax: 2000 };
/** The results 10 and 20, each a byte with its length in front: 10 bytes. */
const payload = encodePayload([Uint8Array.of(10), Uint8Array.of(20)]);

/** Two writes that a follower has passed on to n2, as the batch at index 7. */
function passedOn({ deadlinesMs = [1000, 1000], commandsEach = 1 } = {}) {
  const routes = new NotedRoutes();
  routes.leader = 'n2';
  const queue = new WriteQueue<number>(routes, limits, jsonCodec<number>());
  const answers: string[] = [];
  const errors: RequestError[] = [];
  for (const [at, deadlineMs] of deadlinesMs.entries()) {
    const answer = {
      resolve: (of: { index: number; results: readonly number[]; offset: number }) =>
        answers.push(`${of.index}: ${of.results[of.offset]}`),
      reject: (error: unknown) => {
        answers.push((error as RequestError).code);
        errors.push(error as RequestError);
      },
    };
    const commands = Array.from({ length: commandsEach }, () => Uint8Array.of(at));
    const work = { commands, takesOwn: false };
    queue.add(work, { deadlineMs, signal: undefined }, answer);
  }
  queue.flush();
  const say = (from: number, to: number, { of = payload, by = 'n2' } = {}): void => {
    const part = { offset: from, totalBytes: of.length, bytes: of.subarray(from, to) };
    queue.onReply(by, 1, { type: 'results', index: 7, term: 1, ...part }, ([byte]) => byte as number);
  };
  return { routes, queue, answers, errors, say };
}

/** Where each caller is told that its write is committed. */
const indexesIn = (errors: readonly RequestError[]) =>
  errors.map(({ message }) => /committed at index (\d+)/.exec(message)?.[1]);

const badResults = ['RAFT_BAD_RESULT', 'RAFT_BAD_RESULT'];

describe('results that arrive in parts', () => {
  it('are given to each caller once all of them are there', () => {
    const { answers, say } = passedOn();

    for (const [from, to] of [
      [0, 0],
      [0, 3],
      [3, 9],
    ] as const)
      say(from, to);
    expect(answers).toEqual([]);
    say(9, 10);

    expect(answers).toEqual(['7: 10', '8: 20']);
  });

  it('may begin anew, wherever that breaks off, and come from nobody else', () => {
    const { answers, say } = passedOn();

    for (const [from, to] of [
      [0, 0],
      [0, 4],
      [0, 0],
      [0, 3],
      [3, 6],
    ] as const)
      say(from, to);
    say(6, 10, { by: 'n3' });
    expect(answers).toEqual([]);
    say(6, 10);

    expect(answers).toEqual(['7: 10', '8: 20']);
  });

  it('can not be read where a part is missing, which is said at once', () => {
    const { answers, errors, say } = passedOn();

    say(0, 3);
    say(4, 10);

    expect(answers).toEqual(badResults);
    expect(errors[0]?.message).toMatch(/committed at index 7, .*part of it was lost/);
    expect(indexesIn(errors)).toEqual(['7', '8']);
  });

  it('can not be read where they are fewer than the commands, which is said at once', () => {
    const { answers, errors, say } = passedOn();

    say(0, 5, { of: payload.subarray(0, 5) });

    expect(answers).toEqual(badResults);
    expect(errors[0]?.message).toMatch(/committed at index 7, .*not the results/);
    expect(indexesIn(errors)).toEqual(['7', '8']);
  });

  it('that do not come in time are told as what they are: the write is committed', () => {
    const { queue, answers, errors, say } = passedOn();
    say(0, 0);
    say(0, 4);

    queue.expire(999);
    expect(answers).toEqual([]);
    queue.expire(1000);
    say(4, 10);

    expect(answers).toEqual(badResults);
    expect(errors[0]?.outcome).toBe('unknown');
    expect(errors[0]?.message).toMatch(
      /committed at index 7, .* 4 of its 10 bytes .* time limit.*Don't send it again/,
    );
    expect(indexesIn(errors)).toEqual(['7', '8']);
  });

  it('of which nothing has come in time leave it open what became of the write', () => {
    const { queue, answers, errors } = passedOn();

    queue.expire(1000);

    expect(answers).toEqual(['RAFT_TIMEOUT', 'RAFT_TIMEOUT']);
    expect(errors[0]?.outcome).toBe('unknown');
    expect(errors[0]?.message).not.toMatch(/majority/); // Nobody here knows.
  });

  it('that do not come in time for one caller are told to that one, with its own index', () => {
    const { queue, errors, say } = passedOn({ deadlinesMs: [2000, 1000] });
    say(0, 3);

    queue.expire(1000);
    expect(indexesIn(errors)).toEqual(['8']);
    queue.expire(2000);

    expect(indexesIn(errors)).toEqual(['8', '7']);
  });

  it('that are lost are told to those who sent several writes in one call with all of their indexes', () => {
    const { queue, errors, say } = passedOn({ commandsEach: 2 });
    say(0, 3);

    queue.close('RAFT_CLOSED', 'The node closed.');

    const ranges = errors.map(({ message }) => /committed at the indexes (\d+ to \d+)/.exec(message)?.[1]);
    expect(ranges).toEqual(['7 to 8', '9 to 10']);
  });

  it('that are lost are told to each of the single writes of one turn with its own index', async () => {
    const routes = new NotedRoutes();
    routes.leader = 'n2';
    const queue = new WriteQueue<number>(routes, limits, jsonCodec<number>());
    const writes = [1, 2].map((at) => queue.addOne(Uint8Array.of(at), 1000));
    queue.flush();

    const part = { offset: 0, totalBytes: payload.length, bytes: payload.subarray(0, 3) };
    queue.onReply('n2', 1, { type: 'results', index: 7, term: 1, ...part }, ([byte]) => byte as number);
    queue.onLinkDown('n2');

    const errors = await Promise.all(writes.map((write) => write.catch((error: RequestError) => error)));
    expect(errors.map((error) => (error as RequestError).code)).toEqual(badResults);
    expect(indexesIn(errors as RequestError[])).toEqual(['7', '8']);
  });

  it('are lost with the connection, and the write is committed', () => {
    const { queue, answers, errors, say } = passedOn();
    say(0, 0);

    queue.onLinkDown('n2');

    expect(answers).toEqual(badResults);
    expect(errors[0]?.message).toMatch(/committed at index 7/);
    expect(indexesIn(errors)).toEqual(['7', '8']);
  });

  it('are lost where the node closes, and the write is committed', () => {
    const { queue, answers, errors, say } = passedOn();
    say(0, 0);

    queue.close('RAFT_CLOSED', 'The node closed.');

    expect(answers).toEqual(badResults);
    expect(errors[0]?.message).toMatch(/committed at index 7, .*when this node closed.*Don't send it again/);
    expect(indexesIn(errors)).toEqual(['7', '8']);
  });

  it('are waited for while they come, although another node leads now, and not when they stop', () => {
    const { routes, queue, answers, errors, say } = passedOn();
    routes.leader = 'n3';
    queue.expire(100);
    say(0, 0);
    queue.expire(150);
    say(0, 4);

    for (const now of [200, 250, 299]) queue.expire(now);
    expect(answers).toEqual([]);
    queue.expire(300);

    expect(answers).toEqual(badResults);
    expect(errors[0]?.message).toMatch(/committed at index 7/);
  });
});
