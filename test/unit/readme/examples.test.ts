import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
    let code = server?.code ?? '';
    for (const port of ['7101', '7102', '7103']) code = code.replace(port, String(await freePort()));
    const path = project.write('server.mjs', code);

    const nodes = ['n1', 'n2', 'n3'].map((id) => project.start(path, [id]));
    const deadlineMs = Date.now() + 50_000;
    const haveWritten = () => nodes.every((node) => /wrote number \d/.test(node.output()));
    while (!haveWritten() && Date.now() < deadlineMs) await new Promise((resolve) => setTimeout(resolve, 20));
    for (const node of nodes) node.process.kill('SIGTERM');
    const ends = await Promise.all(nodes.map((node) => node.ended));

    const numbers = ends.map(({ output }) => output.replace(/^n\d wrote number /, '').trim());
    expect(numbers.sort()).toEqual(['1', '2', '3']);
    expect(ends.map((end) => end.code)).toEqual([0, 0, 0]);
  }, 90_000);
});

/** As a reader sees it: without the spaces at the ends of lines. */
function normal(output: string): string {
  return output.replaceAll(/[ \t]+$/gm, '').trim();
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
