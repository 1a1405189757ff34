import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);

/** What is measured, and what it runs on. Programs that are not installed are left out. */
export function versions(): Readonly<Record<string, string>> {
  const found: Record<string, string | null> = {
    rxraft: packageVersion('rxraft'),
    'Node.js': process.versions.node,
    lmdb: packageVersion('lmdb'),
    ws: packageVersion('ws'),
    rxjs: packageVersion('rxjs'),
    etcd: programVersion('etcd', ['--version']),
    'nats-server': programVersion('nats-server', ['--version']),
  };
  return Object.fromEntries(
    Object.entries(found).filter((entry): entry is [string, string] => entry[1] !== null),
  );
}

/** The version of a program, or `null` if it is not there. */
export function programVersion(program: string, args: readonly string[]): string | null {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8' });
  return status === 0 ? (/\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? null) : null;
}

function packageVersion(name: string): string | null {
  const paths = require.resolve.paths(name) ?? [];
  for (const folder of name === 'rxraft' ? [] : paths) {
    try {
      return JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8')).version;
    } catch {
      // Not in this folder.
    }
  }
  return name === 'rxraft' ? (require('rxraft/package.json') as { version: string }).version : null;
}
