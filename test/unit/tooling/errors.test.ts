import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { type Copy, copyOf } from './copy.ts';

const unions = {
  'src/core/output.ts': "export type FaultKind =\n  /** One. */\n  | 'twoLeaders';\n",
  'src/transport/transport.ts':
    "export interface HandshakeRefusal {\n  readonly code:\n    | 'otherCluster';\n}\n",
};
const rows = [
  '| `twoLeaders` | happened | means | do |',
  '| `otherCluster` | happened | means | do |',
  '| `RAFT_FULL` | happened | means | do |',
];

function repository(files: Record<string, string>): Copy {
  const copy = copyOf(['tools/errors.mjs']);
  for (const [path, text] of Object.entries({ ...unions, ...files })) copy.write(path, text);
  return copy;
}

function check({ folder }: Copy) {
  const { status, stderr } = spawnSync(process.execPath, ['tools/errors.mjs'], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status, problems: stderr.split('\n').filter((line) => line !== '') };
}

describe('the check of docs/errors.md', () => {
  it('accepts a row for every name', () => {
    using copy = repository({ 'examples/a.ts': "'RAFT_FULL'", 'docs/errors.md': rows.join('\n') });

    expect(check(copy)).toEqual({ status: 0, problems: [] });
  });

  it('reports a code, a fault and a refusal without a row', () => {
    using copy = repository({ 'src/storage/a.ts': "'RAFT_FULL'", 'docs/errors.md': '' });

    expect(check(copy)).toEqual({
      status: 1,
      problems: [
        'docs/errors.md has no row for RAFT_FULL (src/storage/a.ts)',
        'docs/errors.md has no row for twoLeaders (src/core/output.ts)',
        'docs/errors.md has no row for otherCluster (src/transport/transport.ts)',
      ],
    });
  });

  it('reports a row without a name in the code', () => {
    using copy = repository({ 'docs/errors.md': rows.join('\n') });

    expect(check(copy).problems).toEqual(['docs/errors.md explains RAFT_FULL, which is used nowhere']);
  });

  it('reports a row that leaves a cell empty', () => {
    using copy = repository({
      'src/a.ts': 'RAFT_FULL',
      'docs/errors.md': [...rows.slice(0, 2), '| `RAFT_FULL` | | means | do |'].join('\n'),
    });

    expect(check(copy).problems).toEqual(['docs/errors.md: the row of RAFT_FULL needs four cells']);
  });
});
