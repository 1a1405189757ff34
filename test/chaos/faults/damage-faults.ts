import { closeSync, openSync, readFileSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Fault, Scene } from '../fault.ts';
import type { Slot } from '../slot.ts';
import { changingMembers, readmit } from './member-faults.ts';

/** A node with a damaged file has so long to refuse. */
const refusalMsMax = 60_000;

const cutOff = 'the second half cut off';

/**
 * Ways to damage the file of a store; each must keep the node from starting. Only a file that is cut off may have lost
 * nothing: pages that were free (docs/decisions/0020). Then the node goes on, and the judge compares its data.
 */
const damages: Readonly<Record<string, (file: string) => void>> = {
  'the pages at the beginning overwritten': (file) => {
    const descriptor = openSync(file, 'r+');
    writeSync(descriptor, Buffer.alloc(8_192, 0xa5), 0, 8_192, 0);
    closeSync(descriptor);
  },
  [cutOff]: (file) => truncateSync(file, Math.floor(statSync(file).size / 2)),
  'a digit of the term changed': (file) => {
    const bytes = readFileSync(file).toString('latin1');
    const changed = bytes.replaceAll(
      /"currentTerm":(\d)/g,
      (_, digit) => `"currentTerm":${(Number(digit) + 1) % 10}`,
    );
    writeFileSync(file, changed, 'latin1');
  },
};

/**
 * A node is killed, and its file damaged. It must refuse to start and say so; then it does what the message says: it
 * is removed, and joins again with an empty folder.
 */
export const damage: Fault = {
  name: 'damage',
  run: (scene) => changingMembers(scene, (slot) => damageAndReplace(scene, slot)),
};

async function damageAndReplace(scene: Scene, slot: Slot): Promise<string> {
  const { node } = slot;
  await node.kill();
  const [what, work] = scene.dice.pick(Object.entries(damages));
  work(join(node.place.data, 'data.mdb'));
  node.forgetLog();
  slot.start();
  node.mayEnd = true;
  const end = await Promise.race([node.ended, pause(refusalMsMax, null, { ref: false })]);
  if (end === null) {
    if (what !== cutOff) throw new Error(`${node.id} started with ${what}`);
    node.mayEnd = false;
    scene.note('a node whose file was cut off had lost nothing, and started');
    return `${node.id}: ${what}, which held nothing`;
  }
  if (end.code !== 1 || !node.log.includes('RAFT_STORE_DAMAGED'))
    throw new Error(
      `${node.id} ended with ${end.code ?? end.signal}, with ${what}: ${node.log.slice(-1_000)}`,
    );
  await readmit(scene, slot, node.id);
  return `${node.id}: ${what}`;
}
