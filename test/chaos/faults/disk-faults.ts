import { spawnSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import type { End } from '../../integration/harness/server-node.ts';
import type { ChaosNode } from '../chaos-node.ts';
import { diskKindAt, type FailingDisk } from '../failing-disk.ts';
import type { Fault, Need, Scene } from '../fault.ts';
import type { Slot } from '../slot.ts';
import { endedBySignal, noteOfEnd } from './disk-end.ts';

/** A node that can't write has so long to notice, and to end. */
const endMsMax = 15_000;
/** A node without room has so long to refuse to start. */
const refusalMsMax = 60_000;

const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;

/** The disk has no room left. The node stops by itself, does not start without room, and comes back with it. */
export const fullDisk: Fault = {
  name: 'fullDisk',
  needs: diskOf('full', 'a tmpfs (Linux, root) and two nodes'),
  run: (scene) =>
    withDisk(scene, 'full', async (slot, disk) => {
      disk.squeeze(scene.dice.pick([0, 4_096, 65_536, 1_000_000]));
      const isOver = await hasEnded(scene, slot);
      if (isOver && scene.dice.chance(50)) await startInVain(scene, slot);
      return isOver;
    }),
};

/** The disk takes writes and fails to flush them. The node stops by itself, and comes back once it can. */
export const failedFlush: Fault = {
  name: 'failedFlush',
  needs: diskOf('flush', 'ext4 in a file on a tmpfs (Linux, root) and three nodes'),
  run: (scene) =>
    withDisk(scene, 'flush', async (slot, disk) => {
      disk.squeeze(scene.dice.pick([0, 4_096, 16_384]));
      return hasEnded(scene, slot);
    }),
};

function diskOf(kind: FailingDisk['kind'], what: string): Need {
  return {
    what,
    isMet: ({ size, hasFailingDisks }) =>
      hasFailingDisks && Array.from({ length: size }, (_, at) => diskKindAt(at, size)).includes(kind),
  };
}

/** `work` makes the disk of a node fail, and says whether that ended the node: else nothing has struck. */
function withDisk(
  scene: Scene,
  kind: FailingDisk['kind'],
  work: (slot: Slot, disk: FailingDisk) => Promise<boolean>,
): Promise<string | null> {
  const failing = scene.cluster.slots.filter(({ disk }) => disk?.kind === kind);
  return scene.withSlot(async (slot) => {
    const { node, disk } = slot;
    if (disk === null) return null;
    node.mayEnd = true;
    node.forgetLog();
    const isOver = await work(slot, disk);
    disk.release();
    await startAgain(scene, slot);
    return isOver ? `${node.id}: stopped` : null;
  }, failing);
}

/** From now on each write to a file fails (EFBIG). The node stops, and comes back once it can write. */
export const failedWrite: Fault = {
  name: 'failedWrite',
  needs: { what: 'prlimit (Linux)', isMet: () => hasPrlimit && process.platform === 'linux' },
  run: (scene) =>
    scene.withSlot(async (slot) => {
      const { node } = slot;
      node.mayEnd = true;
      node.forgetLog();
      const { status } = spawnSync('prlimit', ['--pid', String(node.pid), '--fsize=4096']);
      const isOver = await hasEnded(scene, slot);
      await startAgain(scene, slot);
      return status === 0 && isOver ? `${node.id}: stopped` : null;
    }),
};

/** Whether the node has ended in time, or while the fault lasts. Notes how; throws if that must not be. */
async function hasEnded(scene: Scene, { node }: Slot): Promise<boolean> {
  const watch = { isOver: false };
  const end = node.ended.then((each) => {
    watch.isOver = true;
    return each;
  });
  const deadline = performance.now() + scene.dice.between(2_000, endMsMax);
  while (!watch.isOver && !scene.isHealing && performance.now() < deadline) await pause(25);
  if (watch.isOver) noteEnd(scene, node, await end);
  else scene.note('a node did not notice that its disk fails');
  return watch.isOver;
}

async function startInVain(scene: Scene, slot: Slot): Promise<void> {
  const { node } = slot;
  node.forgetLog();
  slot.start();
  node.mayEnd = true;
  const end = await Promise.race([node.ended, pause(refusalMsMax, null, { ref: false })]);
  if (end === null) throw new Error(`${node.id} did not refuse to start on a full disk`);
  noteEnd(scene, node, end);
  scene.note('a node did not start on a full disk');
}

function noteEnd(scene: Scene, { id, log }: ChaosNode, end: End): void {
  const note = noteOfEnd(end, log);
  scene.note(note);
  if (note === endedBySignal)
    throw new Error(
      `${id} ended with ${end.signal} when its disk failed, without a word: ${log.slice(-1_000)}`,
    );
}

async function startAgain(scene: Scene, slot: Slot): Promise<void> {
  await slot.node.kill(); // If it has not ended, its writes are still limited.
  await scene.last(0, 500);
  slot.start();
}
