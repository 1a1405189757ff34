// Each rule of the design, how to break it in the source, and the test that has to notice. `find` stands in the
// file exactly once; `claim` is the name of the test, or the part of it that is its own. One mutant for each claim
// that a rule makes.
import { answers } from './mutants/answers.mjs';
import { disk } from './mutants/disk.mjs';
import { leadership } from './mutants/leadership.mjs';
import { log } from './mutants/log.mjs';
import { members } from './mutants/members.mjs';
import { readsAndSnapshots } from './mutants/reads-and-snapshots.mjs';
import { votes } from './mutants/votes.mjs';

export const mutants = [disk, log, votes, members, readsAndSnapshots, leadership, answers]
  .flat()
  .sort((a, b) => a.rule - b.rule);
