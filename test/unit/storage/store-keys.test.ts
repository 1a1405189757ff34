import { describe, expect, it } from 'vitest';
import { index } from '../../../src/core/index.ts';
import {
  GroupKeys,
  generationOfKey,
  indexOfKey,
  machineKeyOf,
  storeKey,
  tables,
} from '../../../src/storage/store-keys.ts';

const keys = new GroupKeys(0x01020304);

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

describe('the keys of a store', () => {
  it('are those of format 1', () => {
    expect(hex(storeKey('format'))).toBe('00666f726d6174');
    expect(hex(keys.record('stage'))).toBe('01010203047374616765');
    expect(hex(keys.at(tables.log, index(0x1122334455)))).toBe('02010203040000001122334455');
    expect(hex(keys.at(tables.terms, index(1)))).toBe('03010203040000000000000001');
    expect(hex(keys.at(tables.configurations, index(0)))).toBe('04010203040000000000000000');
    expect(hex(keys.machine(0x11223344, Uint8Array.of(9, 255)))).toBe('05010203041122334409ff');
    expect(hex(keys.machineText(0x11223344, '\u0009\u00ff'))).toBe('05010203041122334409ff');
  });

  it('give back the index, and generation and key of the machine', () => {
    expect(indexOfKey(keys.at(tables.log, index(2 ** 53 - 1)))).toBe(2 ** 53 - 1);
    const key = keys.machine(7, Uint8Array.of(1, 2));
    expect(machineKeyOf(key)).toEqual(Uint8Array.of(1, 2));
    expect(generationOfKey(key)).toBe(7);
  });

  it('end where the next generation begins, or the next group, also after the last one', () => {
    const lastGroup = new GroupKeys(0xffff_ffff);
    expect(hex(keys.machineRange(7).start)).toBe('050102030400000007');
    expect(hex(keys.machineRange(7).end)).toBe('050102030400000008');
    expect(hex(keys.machineRange(0xffff_ffff).end)).toBe('050102030500000000');
    expect(hex(keys.machineRange(7, { from: Uint8Array.of(1), to: Uint8Array.of(2) }).end)).toBe(
      '05010203040000000702',
    );
    expect(hex(keys.generationsFrom(7).start)).toBe('050102030400000007');
    expect(hex(keys.generationsFrom(7).end)).toBe('0501020305');
    expect(hex(lastGroup.generationsFrom(0).end)).toBe('0600000000');
  });
});
