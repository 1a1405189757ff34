import { describe, expect, it } from 'vitest';
import { chosenFaults } from '../../chaos/faults/chosen-faults.ts';

/** A machine without root. */
const bare = { size: 3, net: null, hasFailingDisks: false };

function namesOf(...given: Parameters<typeof chosenFaults>): string[] {
  return chosenFaults(...given).map(({ name }) => name);
}

describe('a fault that needs what is not there', () => {
  it('is left out if nobody named it', () => {
    const names = namesOf(null, bare);

    expect(names).toContain('kill');
    for (const name of ['unplug', 'fullDisk', 'failedFlush']) expect(names).not.toContain(name);
  });

  it('is refused if it was named, with what it needs', () => {
    expect(() => chosenFaults(['kill', 'unplug'], bare)).toThrow(
      '--faults unplug: it needs network namespaces (Linux, root, ip)',
    );
    expect(() => chosenFaults(['partition'], { ...bare, size: 1 })).toThrow('it needs two nodes');
    expect(() => chosenFaults(['failedFlush'], { ...bare, size: 2, hasFailingDisks: true })).toThrow(
      'three nodes',
    );
  });

  it('is there where its need is met', () => {
    expect(namesOf(['failedFlush'], { ...bare, hasFailingDisks: true })).toEqual(['failedFlush']);
    expect(namesOf(['fullDisk'], { ...bare, size: 2, hasFailingDisks: true })).toEqual(['fullDisk']);
  });
});
