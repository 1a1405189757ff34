import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { judgeHello } from '../../../src/transport/admission.ts';
import {
  beginFounding,
  type FoundedCluster,
  type FoundingAction,
  type FoundingEvent,
  foundingStep,
} from '../../../src/transport/founding.ts';
import { memoryNetwork } from '../../../src/transport/memory-network.ts';
import { seededRandom } from '../../../src/transport/random.ts';
import type { Hello, Transport } from '../../../src/transport/transport.ts';

const names = ['n1', 'n2', 'n3'];
const members = names.map((id) => ({ id, url: `ws://${id}:7101` }));

/** What survives a crash. */
interface Disk {
  storeId: string;
  bootCounter: number;
  founding: FoundedCluster | null;
}

/** Founds a cluster of three over a bad network while processes crash; `wipes` also empties the disk of n3. */
function simulate(seed: number, { wipes }: { wipes: boolean }): ReadonlyMap<string, Disk> {
  const scheduler = new VirtualTimeScheduler(undefined, 0);
  const random = seededRandom(seed);
  const faults = { delayMsMax: 40, lossProbability: 0.2, duplicateProbability: 0.1, reorderProbability: 0.1 };
  const network = memoryNetwork({ seed, scheduler, faults, noticeMs: 300 });
  const disks = new Map(names.map((id) => [id, newDisk(id, 0)]));
  for (const id of names) scheduler.schedule(() => start(id), random() * 500);
  for (let crash = 0; crash < 6; crash++) scheduler.schedule(() => crashOne(), 20 + random() * 2_000);
  scheduler.schedule(() => network.setFaults({ lossProbability: 0 }), 4_000);
  scheduler.maxFrames = 15_000;
  scheduler.flush();
  return disks;

  function crashOne(): void {
    const id = names[Math.floor(random() * names.length)] as string;
    network.kill(id);
    if (wipes && id === 'n3') disks.set(id, newDisk(id, Math.floor(random() * 1_000)));
    scheduler.schedule(() => start(id), random() * 300);
  }

  function start(id: string): void {
    const disk = disks.get(id) as Disk;
    network.kill(id); // Crashed twice in a row: the first restart gives way.
    disk.bootCounter++;
    const boot = disk.bootCounter;
    const transport = network.transport(`ws://${id}:7101`);
    runNode({ id, disk, transport, isAlive: () => disks.get(id) === disk && disk.bootCounter === boot });
  }

  function runNode(node: { id: string; disk: Disk; transport: Transport; isAlive: () => boolean }): void {
    const { id, disk, transport } = node;
    let state = beginFounding({
      self: { id, storeId: disk.storeId },
      declared: members,
      founding: disk.founding,
    });
    let hasEnded = false;
    const newClusterId = `cluster-of-${id}-${disk.bootCounter}`;
    const feed = (event: FoundingEvent): void => {
      if (hasEnded) return;
      const step = foundingStep(state, event);
      state = step.state;
      step.actions.forEach(act);
    };
    const act = (action: FoundingAction): void => {
      if (action.type === 'send') transport.send(action.to, action.frame);
      if (action.type === 'hangUp') transport.hangUp(action.id, action.refusal.reason);
      if (action.type !== 'persistFounding') return;
      scheduler.schedule(() => {
        if (hasEnded || !node.isAlive()) return; // Crashed before it was on disk.
        disk.founding = action.founding;
        scheduler.schedule(() => feed({ type: 'foundDurable' }), random() * 50);
      }, random() * 50);
    };
    const hello = (): Hello => ({
      protocolVersion: 1,
      clusterId: disk.founding?.clusterId ?? null,
      id,
      storeId: disk.storeId,
      bootCounter: disk.bootCounter,
      members,
    });
    transport.event$.subscribe({
      next: (event) => {
        if (event.type === 'up') feed({ type: 'helloSeen', hello: event.hello, newClusterId });
        if (event.type === 'down') feed({ type: 'peerGone', id: event.id });
        if (event.type !== 'frame') return;
        const { from, frame } = event;
        if (frame.type === 'found') feed({ type: 'foundReceived', from, found: frame });
        if (frame.type === 'foundAck') feed({ type: 'ackReceived', from, clusterId: frame.clusterId });
      },
      complete: () => {
        hasEnded = true;
      },
    });
    const admit = (other: Hello) => judgeHello({ hello: hello(), members: state.members }, other);
    void transport.open({ hello, admit });
    transport.setPeers(members);
    feed({ type: 'started', newClusterId });
    const resend = (): void => {
      if (hasEnded) return;
      feed({ type: 'resendDue' });
      scheduler.schedule(resend, 500);
    };
    scheduler.schedule(resend, 500);
  }
}

function newDisk(id: string, number: number): Disk {
  return { storeId: `store-${id}-${number}`, bootCounter: 0, founding: null };
}

describe('founding over a network that loses and doubles frames, while processes crash', () => {
  it('gives every member the same cluster in the end', () => {
    for (let seed = 1; seed <= 150; seed++) {
      const disks = simulate(seed, { wipes: false });

      const foundings = [...disks.values()].map((disk) => JSON.stringify(disk.founding));
      expect(new Set(foundings).size, `seed ${seed}: ${foundings.join(' ')}`).toBe(1);
      expect(foundings[0], `seed ${seed}`).not.toBe('null');
    }
  });

  it('never gives a wiped store the place of the one that it was', () => {
    let wipedTooLate = 0;
    for (let seed = 1; seed <= 150; seed++) {
      const disks = simulate(seed, { wipes: true });

      const clusterIds = new Set([...disks.values()].flatMap((disk) => disk.founding?.clusterId ?? []));
      expect(clusterIds.size, `seed ${seed}`).toBe(1);
      for (const [id, { storeId, founding }] of disks) {
        const listed = founding?.voters.find((voter) => voter.id === id);
        if (founding !== null) expect(listed?.storeId, `seed ${seed}`).toBe(storeId);
        else wipedTooLate++;
      }
    }
    expect(wipedTooLate).toBeGreaterThan(0);
  });
});
