import type { MembershipChange } from 'rxraft';
import * as v from 'valibot';
import { nodeIdSchema, raftUrlSchema } from '../config/members.ts';

/** What a request for `/admin/members` asks. */
export interface MembershipRequest {
  /** Carried out in order, and all at once. */
  readonly changes: readonly MembershipChange[];
  /** Only if the configuration in effect is the one of this index. */
  readonly expectedIndex?: number;
}

/** The most changes in one request. */
const changesMax = 64;

const id = nodeIdSchema;
const url = raftUrlSchema;
const names = ['add', 'remove', 'promote', 'demote', 'move'] as const;
const oneOfThem = `expected one of ${names.join(', ')}`;

/** One change: an object of which exactly one of these is there. */
const entries = {
  add: v.optional(
    v.strictObject({
      id,
      url,
      storeId: v.optional(
        v.pipe(v.string(), v.regex(/^[!-~]{1,64}$/, 'expected 1 to 64 printable characters')),
      ),
      learner: v.optional(v.boolean()),
    }),
  ),
  remove: v.optional(id),
  promote: v.optional(id),
  demote: v.optional(id),
  move: v.optional(v.strictObject({ id, url })),
};
type Given = v.InferOutput<v.StrictObjectSchema<typeof entries, undefined>>;

const changeSchema = v.pipe(
  v.strictObject(entries),
  v.check((given) => countOf(given) === 1, oneOfThem),
);

/** Reads one change, or several as `{"change": […]}`, and the index of a compare-and-set. */
export const membershipSchema: v.GenericSchema<unknown, MembershipRequest> = v.pipe(
  v.strictObject({
    ...entries,
    change: v.optional(
      v.pipe(
        v.array(changeSchema, 'expected a list of changes'),
        v.minLength(1, 'expected at least one change'),
        v.maxLength(changesMax, `expected at most ${changesMax} changes`),
      ),
    ),
    expectedIndex: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  }),
  v.check(
    (given) => countOf(given) + (given.change === undefined ? 0 : 1) === 1,
    `${oneOfThem}, or several as {"change": […]}`,
  ),
  v.transform(({ change, expectedIndex, ...single }) => ({
    changes: (change ?? [single]).map(changeOf),
    ...(expectedIndex === undefined ? {} : { expectedIndex }),
  })),
);

function countOf(given: Given): number {
  return names.filter((name) => given[name] !== undefined).length;
}

function changeOf({ add, remove, promote, demote, move }: Given): MembershipChange {
  if (add !== undefined) {
    const { learner, storeId, ...address } = add;
    const role = learner === true ? 'learner' : 'voter';
    return { type: 'add', ...address, role, ...(storeId === undefined ? {} : { storeId }) };
  }
  if (remove !== undefined) return { type: 'remove', id: remove };
  if (promote !== undefined) return { type: 'promote', id: promote };
  if (demote !== undefined) return { type: 'demote', id: demote };
  if (move !== undefined) return { type: 'move', ...move };
  throw new Error('a change without a change was let through');
}
