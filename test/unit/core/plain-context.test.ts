import { readdirSync, readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const core = new URL('../../../src/core/', import.meta.url);

/** Every file of the core as a function body that fills `exports`. */
function compiled(): ReadonlyMap<string, string> {
  const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2023 };
  const names = readdirSync(core).filter((name) => name.endsWith('.ts'));
  const compile = (name: string) => {
    const source = readFileSync(new URL(name, core), 'utf8');
    return ts.transpileModule(source, { compilerOptions, fileName: name }).outputText;
  };
  return new Map(names.map((name) => [`./${name}`, compile(name)]));
}

/** JavaScript and nothing else: no Node, no clock, no chance, no console. */
function plainContext() {
  const context = createContext({});
  runInContext(
    `for (const name of ['Date', 'console', 'Intl', 'WebAssembly', 'SharedArrayBuffer', 'Atomics']) {
       delete globalThis[name];
     }
     delete Math.random;`,
    context,
  );
  return context;
}

/** Loads the core's modules into a context; gives what `index.ts` exports. */
function load(context: object): unknown {
  const sources = compiled();
  const loaded = new Map<string, object>();
  const require = (name: string): object => {
    const known = loaded.get(name);
    if (known !== undefined) return known;
    const exports: object = runInContext('({})', context);
    loaded.set(name, exports);
    runInContext(`(function (exports, require) {${sources.get(name)}\n})`, context)(exports, require);
    return exports;
  };
  return require('./index.ts');
}

/** Three nodes, one of which stands for election and then writes; messages and disks work at once. */
const election = `(function ({ Raft, checkState }) {
  const names = ['n1', 'n2', 'n3'];
  const nodes = new Map(names.map((name) => [name, new Raft(name, names)]));
  const carryOut = (raft, outputs) => {
    for (const output of outputs) {
      const { self } = raft.state;
      if (output.type === 'message') send(nodes.get(output.to.id), { type: 'message', from: self, message: output.message });
      if (output.type === 'persistReq') send(raft, { type: 'persistRes', seq: output.seq });
      if (output.type === 'applyReq') {
        const { seq, through } = output;
        send(raft, { type: 'applyRes', seq, appliedIndex: through, durableIndex: through });
      }
    }
  };
  const waiting = [];
  const send = (raft, input) => waiting.push([raft, input]);
  const settle = () => {
    while (waiting.length > 0) {
      const [raft, input] = waiting.shift();
      const outputs = [];
      raft.step(outputs, input);
      carryOut(raft, outputs);
    }
  };
  for (let now = 25; now <= 1500; now += 25) {
    for (const raft of nodes.values()) send(raft, { type: 'tick', now });
    settle();
  }
  const leaders = [...nodes.values()].filter((raft) => raft.state.role.type === 'leader');
  const outputs = [];
  const answer = leaders[0].write(outputs, new Uint8Array([1, 2, 3]));
  carryOut(leaders[0], outputs);
  settle();
  return {
    leaders: leaders.length,
    answer,
    commits: [...nodes.values()].map((raft) => raft.state.commitIndex),
    problems: [...nodes.values()].map((raft) => checkState(raft.state)),
    globals: ['process', 'Buffer', 'setTimeout', 'require', 'Date', 'console'].filter((name) => name in globalThis),
  };
})`;

describe('src/core in a plain JavaScript context, without Node', () => {
  it('elects a leader among three nodes, commits a write and answers it', async () => {
    const context = plainContext();

    const result = runInContext(election, context)(load(context));

    expect({ ...result, answer: await result.answer }).toMatchObject({
      leaders: 1,
      answer: { type: 'committed', index: 2 },
      problems: [undefined, undefined, undefined],
      globals: [],
    });
    expect(Math.max(...result.commits)).toBe(2);
  });
});
