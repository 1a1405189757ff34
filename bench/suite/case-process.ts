import { fork } from 'node:child_process';
import { atExit } from '../harness/at-exit.ts';
import type { Finding } from './bench-case.ts';
import type { SuiteOptions } from './suite-options.ts';

const script = new URL('case-main.js', import.meta.url);

/** Runs a case in a process of its own, and hands on what it finds. Rejects if the process fails. */
export async function runCase(
  name: string,
  options: SuiteOptions,
  onFinding: (finding: Finding) => void,
): Promise<void> {
  const child = fork(script, [name, JSON.stringify(options)], { stdio: ['ignore', 2, 2, 'ipc'] });
  const takeBack = atExit(() => void child.kill());
  child.on('message', (finding: Finding) => onFinding(finding));
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject).once('close', (status, signal) => resolve(status ?? signal));
  });
  takeBack();
  if (code !== 0) throw new Error(`the case ${name} ended with ${code}`);
}
