import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { index } from '../../../src/core/index.ts';
import { lmdbStorage } from '../../../src/storage/lmdb-storage.ts';
import { appending } from './batches.ts';
import { type Compiled, compileStorage } from './compiled.ts';

/** Opens the store at argv[2] and appends, one batch and one machine key at a time; says what is durable. */
const writer = `
import { crc32 } from './src/core/crc32.js';
import { encodePayload } from './src/core/index.js';
import { lmdbStorage } from './src/storage/index.js';

const [, , path, payloadBytes] = process.argv;
const storage = lmdbStorage({ path });
try {
  const { log } = await storage.open();
  console.log('open ' + log.lastIndex);
  for (let index = log.lastIndex + 1; ; index++) {
    const payload = encodePayload([new Uint8Array(Number(payloadBytes)).fill(index)]);
    const payloadChecksum = crc32(payload);
    const batch = { group: 0, index, term: 1, count: 1, kind: 'command', logTimeMs: index, payload, payloadChecksum };
    storage.machineStore.put(Uint8Array.of(1 + (index % 200)), Uint8Array.of(index & 0xff));
    storage.machineStore.advance(index - 1, index - 1);
    const hardState = { currentTerm: 1, votedFor: null };
    const { seq } = await storage.persist([{ type: 'persistReq', seq: index, hardState, batches: [batch] }]);
    console.log('durable ' + seq);
  }
} catch (error) {
  console.log('failed ' + error.code + ' ' + error.message);
  const next = await storage.persist([]).catch((each) => each);
  console.log('next ' + next.code);
  await storage.close();
  console.log('closed');
}
`;

const folder = mkdtempSync(join(tmpdir(), 'rxraft-process-'));
const running = new Set<ChildProcess>();
let compiled: Compiled;
let count = 0;

beforeAll(() => {
  compiled = compileStorage();
  compiled.script('writer.js', writer);
}, 30_000);

afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
  compiled.remove();
  rmSync(folder, { recursive: true, force: true });
});

function newPath(): string {
  return join(folder, `store-${count++}`);
}

/** A process that writes, what it printed, and its end. */
class Writer {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  output = '';

  constructor(
    path: string,
    { payloadBytes = 100, under = 'exec' }: { payloadBytes?: number; under?: string } = {},
  ) {
    const run = `${under} "${process.execPath}" writer.js "${path}" ${payloadBytes}`;
    this.child = spawn('sh', ['-c', run], {
      cwd: compiled.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(this.child);
    this.child.stdout?.on('data', (text) => {
      this.output += text;
    });
    this.child.stderr?.resume();
    this.ended = new Promise((resolve) => this.child.on('close', () => resolve()));
  }

  async until(word: string, times = 1): Promise<void> {
    for (let waitedMs = 0; this.output.split(word).length <= times; waitedMs += 5) {
      if (waitedMs > 20_000) throw new Error(`no ${times} times "${word}" in ${this.output.slice(-500)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  /** The last index it said was durable. */
  durable(): number {
    return Number(
      this.output
        .match(/durable (\d+)\n/g)
        ?.at(-1)
        ?.match(/\d+/)?.[0] ?? 0,
    );
  }
}

describe('a process that is killed while it writes', () => {
  it('has left everything that it was told is durable, and the machine goes together with the log', async () => {
    const path = newPath();
    let durable = 0;

    for (let round = 1; round <= 4; round++) {
      const writing = new Writer(path);
      await writing.until('durable', 7 * round);
      await writing.kill();
      const storage = lmdbStorage({ path });
      const { log, bootCounter } = await storage.open();
      const batches = await storage.readLog({ from: index(1), maxBytes: 1e9 });
      const { machineStore } = storage;
      await storage.close();

      durable = Math.max(durable, writing.durable());
      expect(log.lastIndex).toBeGreaterThanOrEqual(durable);
      expect(log.lastIndex).toBeLessThanOrEqual(durable + 1);
      expect(batches).toHaveLength(log.lastIndex);
      expect(machineStore.appliedIndex).toBe(log.lastIndex - 1);
      expect(bootCounter).toBe(2 * round);
    }
  }, 60_000);
});

describe('a store that another process has open', () => {
  it('is refused, until that process is gone, however it went', async () => {
    const path = newPath();
    const other = new Writer(path);
    await other.until('durable');

    const refused = await lmdbStorage({ path })
      .open()
      .catch((error: unknown) => error);
    other.child.kill('SIGSTOP');
    const refusedAgain = await lmdbStorage({ path })
      .open()
      .catch((error: unknown) => error);
    await other.kill();
    const storage = lmdbStorage({ path });
    const { bootCounter } = await storage.open();
    await storage.close();

    expect(refused).toMatchObject({ code: 'RAFT_STORE_IN_USE' });
    expect((refused as Error).message).toContain(`process ${other.child.pid} has the store at ${path} open`);
    expect(refusedAgain).toMatchObject({ code: 'RAFT_STORE_IN_USE' });
    expect(bootCounter).toBe(2);
  }, 60_000);

  it('has exactly one owner when several processes start at once', async () => {
    const path = newPath();
    const writers = [1, 2, 3, 4].map(() => new Writer(path));

    await Promise.all(writers.map((each) => Promise.race([each.until('durable'), each.ended])));

    const owners = writers.filter(({ output }) => output.startsWith('open'));
    const refused = writers.filter(({ output }) => output.startsWith('failed RAFT_STORE_IN_USE'));
    await Promise.all(writers.map((each) => each.kill()));
    expect(owners).toHaveLength(1);
    expect(refused).toHaveLength(3);
  }, 60_000);

  it('does not hinder that process', async () => {
    const path = newPath();
    const storage = lmdbStorage({ path });
    await storage.open();
    const other = new Writer(path);
    await other.ended;

    await storage.persist(appending(1, 2));
    const another = new Writer(path);
    await another.ended;
    await storage.close();

    expect(other.output).toContain('RAFT_STORE_IN_USE');
    expect(another.output).toContain('RAFT_STORE_IN_USE');
  }, 60_000);
});

describe('a store whose lock is damaged, by a power cut while it was new for instance', () => {
  it('is refused with what to delete, and is as good as before then', async () => {
    const path = newPath();
    const first = new Writer(path);
    await first.until('durable');
    await first.kill();
    const lock = join(path, 'owner.mdb');

    for (const content of [Buffer.alloc(8192), Buffer.from('garbage')]) {
      writeFileSync(lock, content);
      const refused = new Writer(path);
      await refused.ended;
      expect(refused.output).toContain(`failed RAFT_STORE_FAILED ${lock} can't be opened: `);
      expect(refused.output).toContain(`then delete it and ${lock}-lock`);
    }

    for (const file of [lock, `${lock}-lock`]) rmSync(file);
    const again = new Writer(path);
    await again.until('durable');
    await again.kill();
    expect(again.output).toMatch(/^open [1-9]/);
  }, 60_000);
});

describe('a folder that may not be written', () => {
  /** Root may write anywhere, unless it gives that up. */
  const under = process.getuid?.() === 0 ? 'exec setpriv --bounding-set=-dac_override' : 'exec';

  it('is refused before anything is opened, and says what to do', async () => {
    const path = newPath();
    mkdirSync(path, { mode: 0o500 });

    const inIt = new Writer(path, { under });
    const belowIt = new Writer(join(path, 'store'), { under });
    await Promise.all([inIt.ended, belowIt.ended]);

    expect(inIt.output).toMatch(/failed RAFT_STORE_FAILED .* this process may not write there \(EACCES\)/);
    expect(belowIt.output).toMatch(/failed RAFT_STORE_FAILED .* this process may not write there \(EACCES\)/);
    expect(readdirSync(path)).toEqual([]);
  }, 60_000);
});

describe('a disk that has no room left', () => {
  it('fails the store, and what was acknowledged is there after a restart with room', async () => {
    const path = newPath();
    const writing = new Writer(path, { payloadBytes: 20_000, under: 'ulimit -f 1000; exec' });

    await writing.ended;

    expect(writing.output).toContain(
      `failed RAFT_STORE_FAILED there is no room for the store at ${path}: a file would be longer than this ` +
        'process may make one (EFBIG). Nothing acknowledged is lost',
    );
    expect(writing.output).toMatch(/next RAFT_STORE_FAILED\nclosed\n$/);
    const storage = lmdbStorage({ path });
    const { log } = await storage.open();
    const batches = await storage.readLog({ from: index(1), maxBytes: 1e9 });
    await storage.close();
    expect(writing.durable()).toBeGreaterThan(3);
    expect(log.lastIndex).toBe(writing.durable());
    expect(batches).toHaveLength(log.lastIndex);
  }, 60_000);

  it('keeps a new store from being made, and leaves nothing behind', async () => {
    const path = newPath();
    const starting = new Writer(path, { under: 'ulimit -f 0; exec' });

    await starting.ended;

    expect(starting.output).toMatch(/failed RAFT_STORE_FAILED there is no room .*EFBIG.*ulimit -f/);
    expect(readdirSync(path)).toEqual([]);
  }, 60_000);
});
