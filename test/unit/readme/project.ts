import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { type CodeBlock, root } from './code-blocks.ts';

/** How a program ended. */
export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** A project of a user, beside this one: it has the built package and RxJS, and nothing else. */
export class UserProject {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'rxraft-readme-'));

  constructor() {
    mkdirSync(join(this.folder, 'node_modules'));
    symlinkSync(root, join(this.folder, 'node_modules/rxraft'));
    symlinkSync(join(root, 'node_modules/rxjs'), join(this.folder, 'node_modules/rxjs'));
    writeFileSync(join(this.folder, 'package.json'), '{ "type": "module" }');
  }

  write(name: string, code: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, code);
    return path;
  }

  /** Runs a program with plain Node until it ends by itself. */
  async run(path: string): Promise<Ended> {
    const child = this.start(path, []);
    const watchdog = setTimeout(() => child.process.kill('SIGKILL'), 50_000);
    const ended = await child.ended;
    clearTimeout(watchdog);
    return ended;
  }

  /** Starts a program. */
  start(
    path: string,
    args: readonly string[],
  ): { process: ChildProcess; ended: Promise<Ended>; output: () => string } {
    const child = spawn(process.execPath, [path, ...args], { cwd: this.folder });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)));
    const ended = new Promise<Ended>((resolve) => {
      child.on('close', (code) => resolve({ code, output }));
    });
    return { process: child, ended, output: () => output };
  }

  /**
   * What a strict TypeScript compiler says about files, of a user who has neither our settings nor our types; and
   * about our declarations, but not about those of RxJS, Node and the language: it takes twice as long to check these.
   */
  problemsOf(paths: readonly string[]): readonly string[] {
    const program = ts.createProgram(paths, {
      strict: true,
      noEmit: true,
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
    });
    const isOurs = ({ fileName }: ts.SourceFile) => !fileName.includes('/node_modules/');
    const files = program.getSourceFiles().filter(isOurs);
    const problems = [
      ...program.getOptionsDiagnostics(),
      ...program.getGlobalDiagnostics(),
      ...files.flatMap((file) => [
        ...program.getSyntacticDiagnostics(file),
        ...program.getSemanticDiagnostics(file),
      ]),
    ];
    return problems.map(({ file, start, messageText }) => {
      const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start ?? 0).line + 1;
      return `${file?.fileName}:${line} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** JavaScript that Node can run. */
export function javaScriptOf({ language, code }: CodeBlock): string {
  if (!language.startsWith('ts')) return code;
  const { ES2022 } = ts.ScriptTarget;
  return ts.transpileModule(code, { compilerOptions: { target: ES2022, module: ts.ModuleKind.ESNext } })
    .outputText;
}

/** Builds the package unless that has been done since its sources changed. */
export function build(): void {
  const script =
    "import('./tools/build.mjs').then((m) => { process.exitCode = m.buildIfNeeded('.') ? 0 : 1; })";
  const { status, stdout } = spawnSync(process.execPath, ['-e', script], { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`the package could not be built:\n${stdout}`);
}
