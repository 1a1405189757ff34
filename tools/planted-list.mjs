// Well-known bugs of Raft implementations, each an edit of the source, and the simulation that has to find it: `core`
// simulates bare cores, `runtime` the runtime as it is shipped. `find` stands in the file exactly once.
import { coreBugs } from './planted/core.mjs';
import { runtimeBugs } from './planted/runtime.mjs';

export const planted = [...coreBugs, ...runtimeBugs];
