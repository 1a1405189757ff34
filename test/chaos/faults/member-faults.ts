import { setTimeout as pause } from 'node:timers/promises';
import type { StatusBody } from '../../../examples/kv/http/status-body.ts';
import { ask } from '../../integration/harness/http.ts';
import type { Fault, Scene } from '../fault.ts';
import type { Slot } from '../slot.ts';
import { close } from './process-faults.ts';

/** A change of members must get through in this time, whatever else is the matter. */
const changeMsMax = 180_000;
/** A node that joins and that nobody lists for so long was removed again. */
const forgottenMsMax = 20_000;
const retryMs = 200;

/** A node is removed while it runs, and another one joins in its place, with a name of its own. */
export const replace: Fault = {
  name: 'replace',
  run: (scene) =>
    changingMembers(scene, async (slot) => {
      const { id } = slot.node;
      await remove(scene, slot);
      await close(scene, slot);
      const newId = scene.cluster.newId();
      await readmit(scene, slot, newId);
      return `${newId} for ${id}`;
    }),
};

/** Leadership is handed over, to a node or to whoever is furthest. */
export const transfer: Fault = {
  name: 'transfer',
  run: async (scene) => {
    const to = scene.dice.chance(50) ? { to: scene.dice.pick(scene.cluster.slots).node.id } : {};
    const answer = await post(scene.dice.pick(scene.cluster.slots), 'transfer', to);
    scene.note(`a transfer answered ${answer?.status ?? 'nothing'}`);
    return to.to ?? 'anybody';
  },
};

/** A node takes a snapshot, and drops the log before it. */
export const snapshot: Fault = {
  name: 'snapshot',
  run: async (scene) => {
    const slot = scene.dice.pick(scene.cluster.slots);
    await post(slot, 'snapshot', undefined);
    return slot.node.id;
  },
};

/** One change at a time: a second wiped node could take a majority's memory with it. */
export async function changingMembers(
  scene: Scene,
  work: (slot: Slot) => Promise<string | null>,
): Promise<string | null> {
  if (scene.isChangingMembers || scene.isHealing) return null;
  scene.isChangingMembers = true;
  try {
    return await scene.withSlot(work);
  } finally {
    scene.isChangingMembers = false;
  }
}

/** The slot's node, which does not run, makes place for one with this name and an empty folder. */
export async function readmit(scene: Scene, slot: Slot, id: string): Promise<void> {
  await remove(scene, slot);
  slot.replace(
    id,
    othersThan(scene, slot).map(({ url }) => url),
  );
  slot.start();
  let listedAt = performance.now();
  await retried(`${id} has become a voter`, async () => {
    const role = await roleOf(scene, slot, id);
    if (role !== undefined) listedAt = performance.now();
    if (performance.now() - listedAt > forgottenMsMax) {
      // The removal before, whose answer was lost, has met the new node: it asks once, and then waits to be called.
      scene.note('a node had to be added once more');
      await post(scene.dice.pick(othersThan(scene, slot)), 'members', {
        add: { id, url: slot.place.advertise },
      });
      listedAt = performance.now();
    }
    return role === 'voter';
  });
}

/**
 * What it is according to the first of the others that lists it: `unsettled` while that is not committed. A voter of a
 * change that may still be undone must not be counted on: the next store to be lost could be one that the change needs.
 */
async function roleOf(scene: Scene, slot: Slot, id: string): Promise<string | undefined> {
  for (const other of othersThan(scene, slot)) {
    const status = await scene.cluster.status(other);
    const member = status?.members.find((each) => each.id === id);
    if (status !== null && member !== undefined) return isSettled(status) ? member.role : 'unsettled';
  }
  return undefined;
}

function isSettled({ configuration, commitIndex }: StatusBody): boolean {
  return (
    configuration !== null && configuration.votersOutgoing.length === 0 && configuration.index <= commitIndex
  );
}

/** Removes the slot's node from the cluster; nothing if it is no member. */
async function remove(scene: Scene, slot: Slot): Promise<void> {
  const { id } = slot.node;
  await retried(`${id} is removed`, async () => {
    const other = scene.dice.pick(othersThan(scene, slot));
    const answer = await post(other, 'members', { remove: id });
    return answer?.status === 200 || (answer?.status === 400 && /not a member|no member/.test(answer.text));
  });
}

function othersThan({ cluster }: Scene, slot: Slot): readonly Slot[] {
  return cluster.slots.filter((other) => other !== slot);
}

async function post(slot: Slot, what: string, body: object | undefined) {
  const sending = { timeoutMs: 8_000, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  return await ask(slot.url, `POST /admin/${what}?timeoutMs=5000`, sending).catch(() => null);
}

async function retried(what: string, isDone: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + changeMsMax;
  while (!(await isDone())) {
    if (performance.now() > deadline) throw new Error(`waited ${changeMsMax} ms in vain until ${what}`);
    await pause(retryMs);
  }
}
