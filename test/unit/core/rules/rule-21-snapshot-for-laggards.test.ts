import { describe, expect, it } from 'vitest';
import { BareCluster, type Envelope } from '../../../../src/testing/bare-cluster.ts';

/** Three nodes, the third of them down, and a log that goes on and is compacted without it. */
function withoutN3(): BareCluster {
  const cluster = new BareCluster({ nodes: ['n1', 'n2', 'n3'] });
  cluster.elect('n1');
  cluster.crash('n3');
  for (const command of ['a', 'b', 'c']) cluster.write('n1', [command, `${command}'`]);
  cluster.settle();
  cluster.compact('n1');
  cluster.settle();
  cluster.restart('n3');
  return cluster;
}

/** Everybody but one gets on, who hears and says nothing. */
function settleWithout(cluster: BareCluster, alone: string): void {
  const ids = [...cluster.nodes.keys()].filter((id) => id !== alone);
  const next = (): Envelope | undefined =>
    cluster.inFlight.find(({ from, to }) => from.id !== alone && to.id !== alone);
  for (let rounds = 0; rounds < 20; rounds++) {
    for (let envelope = next(); envelope !== undefined; envelope = next()) cluster.deliver(envelope);
    for (const id of ids) {
      cluster.flush(id);
      cluster.apply(id);
      cluster.keepView(id);
    }
  }
}

describe('rule 21: a follower behind the compaction point gets a snapshot, and then the log after it', () => {
  it('and holds the same in the end', () => {
    const cluster = withoutN3();

    cluster.tick('n1', 200);
    cluster.settle();
    cluster.tick('n1', 200);
    cluster.settle();

    expect(cluster.state('n1').log.startIndex).toBe(7);
    expect(cluster.state('n3').log.startIndex).toBe(7);
    expect(cluster.node('n3').applied).toEqual(cluster.node('n1').applied);
  });

  it('and follows the log as before', () => {
    const cluster = withoutN3();
    cluster.wait('n1', 400);

    cluster.write('n1', ['d']);
    cluster.settle();

    expect(cluster.state('n3')).toMatchObject({ commitIndex: 8, log: { startIndex: 7, lastIndex: 8 } });
    expect(cluster.node('n3').applied).toEqual(cluster.node('n1').applied);
  });

  it('the log that it needs afterwards is kept until the transfer ends', () => {
    const cluster = withoutN3();
    cluster.tick('n1', 100);
    for (const envelope of [...cluster.inFlight]) cluster.deliver(envelope);
    for (const envelope of [...cluster.inFlight]) cluster.deliver(envelope);
    const sending = cluster.node('n1').shipments.length;

    cluster.write('n1', ['d']);
    for (const id of ['n1', 'n2']) cluster.flush(id);
    cluster.deliver(cluster.oldest('n1', 'n2') as NonNullable<ReturnType<typeof cluster.oldest>>);
    cluster.flush('n2');
    while (cluster.oldest('n2', 'n1')) cluster.deliver(cluster.oldest('n2', 'n1') as never);
    cluster.apply('n1');
    const compacted = cluster.compact('n1');
    cluster.apply('n1');
    cluster.keepView('n1');
    cluster.flush('n1');

    expect(sending).toBe(1);
    expect(cluster.answer(compacted)).toEqual({ type: 'ok' });
    expect(cluster.state('n1')).toMatchObject({ snapshotIndex: 8, log: { startIndex: 7 } });
  });

  it.each([
    ['not before it is over', 59_000, 7],
    ['when it is over', 62_000, 11],
  ])(
    'a receiver that dies with all its chunks is given up after a minute: %s',
    (_when, silentMs, startIndex) => {
      const cluster = withoutN3();
      cluster.tick('n1', 100);
      for (let rounds = 0; rounds < 2; rounds++)
        for (const envelope of [...cluster.inFlight]) cluster.deliver(envelope);
      cluster.ship('n1');
      cluster.crash('n3');
      cluster.write('n1', ['d', 'e', 'f', 'g']);

      for (let elapsedMs = 0; elapsedMs < silentMs; elapsedMs += 100) {
        cluster.tick('n1', 100);
        cluster.settle();
      }
      cluster.compact('n1');
      cluster.settle();

      expect(cluster.state('n1')).toMatchObject({
        role: { type: 'leader' },
        snapshotIndex: 11,
        log: { startIndex },
      });
    },
  );

  it('the log after it is kept until it has caught up, however often the log is compacted', () => {
    const cluster = withoutN3();
    for (let ticks = 0; ticks < 4 && cluster.node('n1').shipments.length === 0; ticks++) {
      cluster.tick('n1', 100);
      for (const envelope of [...cluster.inFlight]) cluster.deliver(envelope);
    }
    const goOn = (): void => {
      for (let at = 0; at < 5; at++) cluster.write('n1', [`${at}`]);
      settleWithout(cluster, 'n3');
      cluster.compact('n1', true); // As the runtime does: what the snapshot before covers goes.
      settleWithout(cluster, 'n3');
    };
    for (let rounds = 0; rounds < 3; rounds++) goOn(); // While the chunks travel.
    cluster.ship('n1');
    while (cluster.oldest('n1', 'n3')) cluster.deliver(cluster.oldest('n1', 'n3') as Envelope);
    for (let rounds = 0; rounds < 2; rounds++) {
      cluster.apply('n3');
      cluster.flush('n3');
    }
    while (cluster.oldest('n3', 'n1')) cluster.deliver(cluster.oldest('n3', 'n1') as Envelope);
    goOn();
    const { startIndex: installed } = cluster.state('n3').log;

    expect(installed).toBe(7);
    expect(cluster.state('n1').log.startIndex).toBe(7);

    for (let ticks = 0; ticks < 40; ticks++) {
      cluster.tick('n1');
      cluster.settle();
    }
    cluster.compact('n1');
    cluster.settle();
    expect(cluster.state('n1').log.startIndex).toBe(cluster.state('n1').snapshotIndex);
    expect(cluster.node('n3').applied).toEqual(cluster.node('n1').applied);
  });

  /** Whatever is on its way arrives, and the disks and machines of those get on. */
  function getOn(cluster: BareCluster, ids: readonly string[]): void {
    for (let rounds = 0; rounds < 3; rounds++) {
      while (cluster.inFlight[0] !== undefined) cluster.deliver(cluster.inFlight[0]);
      for (const id of ids) {
        cluster.flush(id);
        cluster.readLog(id);
        cluster.apply(id);
        cluster.keepView(id);
        cluster.ship(id);
      }
    }
  }

  /** Until the chunks are there and the follower is asked to switch, which its disk has not done. */
  function untilInstalling(cluster: BareCluster): void {
    for (let ticks = 0; ticks < 10 && cluster.state('n3').installing === null; ticks++) {
      cluster.flush('n3');
      cluster.tick('n1', 100);
      getOn(cluster, ['n1', 'n2']);
    }
    expect(cluster.state('n3').installing).not.toBeNull();
  }

  it('what it has acknowledged since is not kept, though it never catches up', () => {
    const cluster = withoutN3();
    cluster.wait('n1', 400);
    const { startIndex } = cluster.state('n3').log;

    for (let writes = 0; writes < 10; writes++) {
      cluster.write('n1', ['d']);
      getOn(cluster, ['n1', 'n2']);
      while (cluster.node('n3').unflushed.length > 3) cluster.flush('n3', 1); // Two looks of CheckQuorum behind.
      for (let elapsedMs = 0; elapsedMs < 500; elapsedMs += 100) cluster.tick('n1', 100);
      getOn(cluster, ['n1', 'n2']);
    }
    cluster.compact('n1');
    getOn(cluster, ['n1', 'n2']);
    const { role, log, snapshotIndex } = cluster.state('n1');
    const peer = role.type === 'leader' && role.peers.find(({ id }) => id === 'n3');

    expect(startIndex).toBe(7);
    expect(peer).toMatchObject({ state: 'replicate', snapshotFrom: 7, matchIndex: 14 });
    expect([log.startIndex, snapshotIndex]).toEqual([14, 17]);
  });

  it.each([
    ['a minute', 'after the switch', 'not before that is over', 59_000, 7],
    ['a minute', 'after the switch', 'when that is over', 62_000, 11],
    ['ten minutes', 'in the switch', 'not before that is over', 590_000, 7],
    ['ten minutes', 'in the switch', 'when that is over', 620_000, 11],
  ])(
    'a follower that answers, and whose disk hangs for %s %s, is given up %s',
    (_minutes, where, _when, hangsMs, startIndex) => {
      const cluster = withoutN3();
      untilInstalling(cluster);
      if (where === 'after the switch') {
        cluster.apply('n3');
        cluster.flush('n3');
        getOn(cluster, ['n1', 'n2']);
        expect(cluster.state('n3')).toMatchObject({ installing: null, log: { startIndex: 7 } });
      }
      cluster.write('n1', ['d', 'e', 'f', 'g']);
      getOn(cluster, ['n1', 'n2']);
      cluster.compact('n1'); // From here on it would get this snapshot.
      getOn(cluster, ['n1', 'n2']);

      for (let elapsedMs = 0; elapsedMs < hangsMs; elapsedMs += 100) {
        cluster.tick('n1', 100);
        getOn(cluster, ['n1', 'n2']);
      }
      cluster.compact('n1');
      getOn(cluster, ['n1', 'n2']);

      expect(cluster.state('n1')).toMatchObject({
        role: { type: 'leader' },
        snapshotIndex: 11,
        log: { startIndex },
      });
    },
  );

  it('a transfer that fails begins anew', () => {
    const cluster = withoutN3();
    cluster.tick('n1', 100);
    for (let rounds = 0; rounds < 2; rounds++)
      for (const envelope of [...cluster.inFlight]) cluster.deliver(envelope);
    const [lost] = cluster.node('n1').shipments;
    cluster.ship('n1', true);
    const before = cluster.state('n3').log;

    cluster.wait('n1', 400);

    expect(lost?.to.id).toBe('n3');
    expect(before.startIndex).toBe(0);
    expect(cluster.state('n3').log.startIndex).toBe(7);
    expect(cluster.node('n3').applied).toEqual(cluster.node('n1').applied);
  });
});
