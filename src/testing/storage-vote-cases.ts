import { type HardState, term } from '../core/index.ts';
import { same } from './same.ts';
import { batchOf, conform, request, type StorageConformanceCase } from './storage-kit.ts';

/** A term that begins without a vote, the vote in it, and the same again with another candidate. */
const votes: readonly HardState[] = [
  hardState(5),
  hardState(5, 'n2'),
  hardState(6),
  hardState(6, 'n1'),
  hardState(7, 'n2'),
  hardState(8),
];

/** What every storage does about term and vote: a node that forgets either can elect two leaders in one term (rule 1). */
export const storageVoteCases: readonly StorageConformanceCase[] = [
  conform('keeps every term and every vote as it was written last', async (place) => {
    await place.open();
    for (const [at, vote] of votes.entries()) {
      await place.current.persist([request({ seq: at + 1, hardState: vote })]);
      same(`after ${shortly(vote)}`, (await place.reopen()).hardState, vote);
    }
  }),
  conform('keeps every term and every vote that came with entries, or with others', async (place) => {
    await place.open();
    for (const [at, vote] of votes.entries()) {
      const batches = [batchOf(at + 1, { inTerm: vote.currentTerm })];
      await place.current.persist([
        request({ seq: 2 * at + 1, hardState: hardState(vote.currentTerm) }),
        request({ seq: 2 * at + 2, hardState: vote, batches }),
      ]);
      const { hardState: kept, log } = await place.reopen();
      same(`after ${shortly(vote)} with entries`, [kept, log.lastIndex], [vote, at + 1]);
    }
  }),
  conform('keeps term and vote when anything else is written', async (place) => {
    await place.beginFounded();
    const vote = hardState(12, 'n3');
    await place.current.persist([request({ seq: 1, hardState: vote })]);

    await place.current.persist([request({ seq: 2, batches: [batchOf(1)] })]);
    same('after entries', (await place.reopen()).hardState, vote);
    await place.apply(1, { a: '1' });
    same('after the machine', (await place.reopen()).hardState, vote);
    await place.reopen();
    same('after another start', (await place.reopen()).hardState, vote);
  }),
];

/** The store is named so that it can't be guessed from the node. */
export function hardState(currentTerm: number, id?: string): HardState {
  const votedFor = id === undefined ? null : { id, storeId: `disk-${currentTerm}-of-${id}` };
  return { currentTerm: term(currentTerm), votedFor };
}

function shortly({ currentTerm, votedFor }: HardState): string {
  return votedFor === null ? `term ${currentTerm}` : `the vote for ${votedFor.id} in term ${currentTerm}`;
}
