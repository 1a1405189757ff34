import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { atExit } from '../harness/at-exit.ts';

/** It is Go, which is no part of what is built: it is where it was written. */
const source = fileURLToPath(new URL('../../../bench/step/etcd-core/main.go', import.meta.url));
/** Where Debian has the sources of etcd and of what it uses. */
const goPath = '/usr/share/gocode';

/** etcd's own Raft, driven as `ThreeCores` drives ours: a process that measures when it is asked. */
export class EtcdCore {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  }

  /** Why it can't be measured on this machine, and what to install; `null` if it can. */
  static missing(): string | null {
    const hasGo = spawnSync('go', ['version']).status === 0;
    return hasGo && existsSync(join(goPath, 'src/go.etcd.io/etcd/raft'))
      ? null
      : 'no Go with the sources of etcd; on Debian, `apt-get install golang-go golang-etcd-server-dev`';
  }

  /** Compiles it and starts it, with so many commands in a message. Throws what the compiler says. */
  static start(perMessage: number): EtcdCore {
    const folder = mkdtempSync(join(tmpdir(), 'rxraft-etcd-core-'));
    const takeBack = atExit(() => rmSync(folder, { recursive: true, force: true }));
    const program = join(folder, 'etcd-core');
    const env = { ...process.env, GO111MODULE: 'off', GOPATH: goPath, GOFLAGS: '' };
    const { status, stderr } = spawnSync('go', ['build', '-o', program, source], { env, encoding: 'utf8' });
    if (status !== 0) throw new Error(`etcd's core was not compiled:\n${stderr}`);
    const args = ['-per-message', String(perMessage)];
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const doNotOutlive = atExit(() => void child.kill('SIGKILL'));
    child.once('exit', () => {
      doNotOutlive();
      takeBack();
      rmSync(folder, { recursive: true, force: true });
    });
    return new EtcdCore(child);
  }

  /** Commits a second, measured for so long. */
  async sample(ms: number): Promise<number> {
    this.#child.stdin?.write(`${ms}\n`);
    const { value, done } = await this.#lines.next();
    const rate = Number(value);
    if (done === true || !(rate > 0))
      throw new Error(`etcd's core ended, or said ${value} where a rate was due`);
    return rate;
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }
}
