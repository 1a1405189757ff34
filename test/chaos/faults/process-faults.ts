import { setTimeout as pause } from 'node:timers/promises';
import type { Fault, Scene } from '../fault.ts';
import type { Slot } from '../slot.ts';

/** How long a node may take to close in good order, before it is killed. */
const closeMsMax = 20_000;

/** SIGKILL, and a start after a while. */
export const kill: Fault = {
  name: 'kill',
  run: (scene) =>
    scene.withSlot(async (slot) => {
      await slot.node.kill();
      await scene.last(0, 3_000);
      slot.start();
      return slot.node.id;
    }),
};

/** SIGSTOP and SIGCONT. */
export const stop: Fault = {
  name: 'stop',
  run: (scene) =>
    scene.withSlot(async (slot) => {
      slot.node.signal('SIGSTOP');
      await scene.last(100, 4_000);
      slot.node.signal('SIGCONT');
      return slot.node.id;
    }),
};

/** SIGTERM, and a start after a while. */
export const restart: Fault = {
  name: 'restart',
  run: (scene) =>
    scene.withSlot(async (slot) => {
      await close(scene, slot);
      await scene.last(0, 1_000);
      slot.start();
      return slot.node.id;
    }),
};

/** SIGKILL to every process at once, and the start of all. */
export const killAll: Fault = {
  name: 'killAll',
  run: (scene) =>
    scene.withAll(async () => {
      const { slots } = scene.cluster;
      await Promise.all(slots.map(({ node }) => node.kill()));
      await scene.last(0, 1_000);
      for (const slot of slots) slot.start();
      return `all ${slots.length}`;
    }),
};

/** Ends a node as an operator would. */
export async function close(scene: Scene, { node }: Slot): Promise<void> {
  const isClosed = await Promise.race([
    node.stop().then(() => true),
    pause(closeMsMax, false, { ref: false }),
  ]);
  if (isClosed) return;
  scene.note('closing took too long');
  await node.kill();
}
