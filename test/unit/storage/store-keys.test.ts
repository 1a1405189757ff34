import { describe, expect, it } from 'vitest';
import { index } from '../../../src/core/index.ts';
import { GroupKeys, indexOfKey, machineKeyOf, storeKey, tables } from '../../../src/storage/store-keys.ts';

const keys = new GroupKeys(0x01020304);

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

describe('the keys of a store', () => {
  it('are those of format 1', () => {
    expect(hex(storeKey('format'))).toBe('00666f726d6174');
    expect(hex(keys.record('applied'))).toBe('01010203046170706c696564');
    expect(hex(keys.at(tables.log, index(0x1122334455)))).toBe('02010203040000001122334455');
    expect(hex(keys.at(tables.terms, index(1)))).toBe('03010203040000000000000001');
    expect(hex(keys.at(tables.configurations, index(0)))).toBe('04010203040000000000000000');
    expect(hex(keys.machine(Uint8Array.of(9, 255)))).toBe('050102030409ff');
    expect(hex(keys.machineText('\u0009\u00ff'))).toBe('050102030409ff');
  });

  it('give back the index and the key of the machine', () => {
    expect(indexOfKey(keys.at(tables.log, index(2 ** 53 - 1)))).toBe(2 ** 53 - 1);
    expect(machineKeyOf(keys.machine(Uint8Array.of(1, 2)))).toEqual(Uint8Array.of(1, 2));
  });

  it('end where the next group begins, also after the last one', () => {
    expect(hex(keys.machineRange({}).end)).toBe('0501020305');
    expect(hex(new GroupKeys(0xffff_ffff).machineRange({}).end)).toBe('0600000000');
  });
});
