/** What came of trying a list: whether it still fails, and what it cost. */
export interface Trial<Item> {
  /** The items that matter, to the one that failed; `undefined` if nothing failed. */
  readonly failing: readonly Item[] | undefined;
  readonly cost: number;
}

/**
 * Leaves out of a list that fails whatever need not be there: halves first, then ever smaller pieces, then single items,
 * until none can be spared (delta debugging), or until the trials have cost as much as they may.
 */
export function shrink<Item>(
  items: readonly Item[],
  trial: (items: readonly Item[]) => Trial<Item>,
  costMax: number,
): readonly Item[] {
  let rest = items;
  let cost = 0;
  for (let size = Math.ceil(rest.length / 2); size > 0; size = nextSize(size)) {
    let isShorter = true;
    while (isShorter) {
      isShorter = false;
      for (let to = rest.length; to > 0 && cost < costMax; to = Math.min(to - size, rest.length)) {
        const result = trial([...rest.slice(0, Math.max(0, to - size)), ...rest.slice(to)]);
        cost += result.cost;
        if (result.failing === undefined) continue;
        isShorter ||= result.failing.length < rest.length;
        rest = result.failing;
      }
    }
  }
  return rest;
}

function nextSize(size: number): number {
  return size === 1 ? 0 : Math.ceil(size / 2);
}
