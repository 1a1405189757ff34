/** How many values hang on a value: fields, elements, and what is in maps and sets, each object once. */
export function countValues(root: unknown): number {
  const seen = new Set<object>();
  const pending: unknown[] = [root];
  let count = 0;
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    count += 1;
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || seen.has(value)) continue;
    seen.add(value);
    if (value instanceof Map) pending.push(...value.keys(), ...value.values());
    else if (value instanceof Set) pending.push(...value);
    else pending.push(...Object.values(value).filter((each) => each !== undefined));
  }
  return count;
}
