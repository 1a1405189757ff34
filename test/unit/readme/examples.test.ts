import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../ports.ts';
import { blocksOf, linesOf, pages } from './code-blocks.ts';
import { build, javaScriptOf, UserProject } from './project.ts';

const blocks = pages.flatMap(blocksOf);
const programs = blocks.filter(({ language }) => /^(js|ts)$/.test(language));
const servers = blocks.filter(({ language }) => language === 'js server');

let project: UserProject;

beforeAll(() => {
  build();
  project = new UserProject();
}, 120_000);

afterAll(() => project.remove());

describe('the first example of the README', () => {
  it('has at most ten lines, the second at most thirty', () => {
    const [first, second] = blocksOf('README.md').filter(({ language }) => language === 'js');

    expect(linesOf(first?.code ?? '')).toBeLessThanOrEqual(10);
    expect(linesOf(second?.code ?? '')).toBeLessThanOrEqual(30);
    expect(first?.code).toContain('await node.write(');
    expect(second?.code).toContain("'n1', 'n2', 'n3'");
  });
});

describe('an example', () => {
  it.each(programs.map((block) => [block.place, block] as const))(
    '%s runs as it is, ends by itself, and prints what the page says',
    async (_place, block) => {
      const path = project.write(`${block.name}.mjs`, javaScriptOf(block));

      const { code, output } = await project.run(path);

      expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
      if (block.output !== undefined) expect(normal(output)).toBe(normal(block.output));
    },
    60_000,
  );

  it('in JavaScript is strict TypeScript too', () => {
    const paths = [...programs, ...servers].map((block) => project.write(`${block.name}.ts`, block.code));

    expect(project.problemsOf(paths)).toEqual([]);
  }, 120_000);
});

describe('the server of the guide', () => {
  it('runs as three processes, which found a cluster, write, and end when they are told to', async () => {
    const [server] = servers;
    const first = await freePorts(3);
    const code = (server?.code ?? '').replaceAll(/710[123]/g, (port) => String(first + Number(port) - 7101));
    const path = project.write('server.mjs', code);

    const nodes = ['n1', 'n2', 'n3'].map((id) => project.start(path, [id]));
    const deadlineMs = Date.now() + 50_000;
    const haveWritten = () => nodes.every((node) => /wrote number \d/.test(node.output()));
    const areRunning = () => nodes.every((node) => node.process.exitCode === null);
    while (!haveWritten() && areRunning() && Date.now() < deadlineMs) await setTimeout(20);
    for (const node of nodes) node.process.kill('SIGTERM');
    const ends = await Promise.all(nodes.map((node) => node.ended));

    const numbers = ends.map(({ output }) => output.replace(/^n\d wrote number /, '').trim());
    expect(numbers.sort(), JSON.stringify(ends)).toEqual(['1', '2', '3']);
    expect(ends.map((end) => end.code)).toEqual([0, 0, 0]);
  }, 90_000);
});

/** As a reader sees it: without the spaces at the ends of lines. */
function normal(output: string): string {
  return output.replaceAll(/[ \t]+$/gm, '').trim();
}
