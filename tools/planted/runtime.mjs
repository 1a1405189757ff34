// Bugs that the simulation of the shipped runtime finds. `options` go to `simulate`.

/** Machines in the node's store, and what makes a process forget: what is flushed, and when, decides. */
const durability = { steps: 3000, faults: ['kill', 'powerLoss', 'slowDisk'] };

/** Clients with sessions, and nodes that get their machine from a snapshot. */
const sessions = {
  steps: 3000,
  sessions: true,
  faults: ['kill', 'snapshot', 'loss', 'partition', 'transfer'],
};

/** Members that come and go, and lose their disks. */
const membership = { steps: 3000, faults: ['members', 'wipe', 'kill', 'partition', 'transfer'] };

/** Members that change more than their names: their roles and addresses, and two at once. */
const roles = { steps: 3000, faults: ['members', 'members', 'members', 'kill', 'partition', 'transfer'] };

export const runtimeBugs = [
  {
    name: 'the applied index is written outside the transaction of the data',
    simulator: 'runtime',
    options: durability,
    edits: [
      {
        file: 'src/storage/store.ts',
        find: '      await this.#write({ log, machine: this.#overlay.beginFlush() });',
        replace:
          '      const writes = this.#overlay.beginFlush();\n' +
          '      await this.#write({ log, machine: { ...writes, state: null } });\n' +
          '      await this.#write({ machine: { ...writes, entries: [] } });',
      },
    ],
  },
  {
    name: 'the table of sessions is missing from the snapshot',
    simulator: 'runtime',
    options: sessions,
    edits: [
      {
        file: 'src/streams/sessions.ts',
        find: 'const entries = [...this.#memory.range({})];',
        replace: 'const entries: [Uint8Array, Uint8Array][] = [];',
      },
    ],
  },
  {
    name: 'a retry through a session is applied again',
    simulator: 'runtime',
    options: sessions,
    edits: [
      {
        file: 'src/streams/session-table.ts',
        find: "    if (result !== undefined) return { type: 'answered', result };\n",
        replace: '',
      },
    ],
  },
  {
    name: 'a retry through a session has a sequence of its own',
    simulator: 'runtime',
    options: sessions,
    edits: [
      {
        file: 'src/streams/session.ts',
        find: '      const stamp = { session: this.id, sequence, lowestUnanswered };',
        replace:
          '      this.#lastSequence += 1;\n' +
          '      const stamp = { session: this.id, sequence: this.#lastSequence, lowestUnanswered };',
      },
    ],
  },
  {
    name: 'what is loaded counts as durable before the write at boot',
    simulator: 'runtime',
    options: durability,
    edits: [
      {
        file: 'src/storage/memory-storage.ts',
        find: '      await this.#boot(session);',
        replace: '      this.#boot(session).catch(() => {});',
      },
    ],
  },
  {
    name: 'a wiped node votes under its old name',
    simulator: 'runtime',
    options: membership,
    edits: [
      {
        file: 'src/core/types.ts',
        find: 'a.id === b.id && a.storeId === b.storeId)',
        replace: 'a.id === b.id)',
      },
      {
        file: 'src/transport/memory-transport.ts',
        find: 'const isThere = peer.connection?.hellos.acceptor.storeId === to.storeId;',
        replace: 'const isThere = peer.connection !== null;',
      },
    ],
  },
  {
    name: 'a snapshot is installed with the membership from before',
    simulator: 'runtime',
    options: membership,
    edits: [
      {
        file: 'src/core/snapshot-installing.ts',
        find: '  draft.configurations = [snapshot.configuration, ...later];',
        replace:
          '  draft.configurations = [draft.configurations[0] as typeof snapshot.configuration, ...later];',
      },
    ],
  },
  {
    name: 'a member that has moved is looked for where it was, and never where it is',
    simulator: 'runtime',
    options: roles,
    edits: [
      {
        file: 'src/streams/address-search.ts',
        find: 'all.map((node) => [node.id, this.#attempt(node)])',
        replace:
          'all.map((node) => [node.id, this.#attempt({ ...node, urls: this.#attempts.get(node.id)?.urls ?? node.urls })])',
      },
    ],
  },
  {
    name: 'a voter that is demoted is promoted again',
    simulator: 'runtime',
    options: roles,
    edits: [
      {
        file: 'src/core/member-change.ts',
        find: '      learners.set(id, plain);',
        replace: '      learners.set(id, { ...plain, willVote: true });',
      },
    ],
  },
];
