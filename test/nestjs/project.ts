// Applications of Nest as real processes: compiled as Nest compiles them, against the built package, for each version of
// Nest and each module format.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'tsup';
import ts from 'typescript';
import settings from '../../tsup.config.js';

export const nests = ['11', '12'] as const;
export const formats = ['cjs', 'esm'] as const;
export type Nest = (typeof nests)[number];

const root = fileURLToPath(new URL('../..', import.meta.url));
const here = join(root, 'test/nestjs');
const sources = [join(here, 'apps'), join(root, 'examples/nestjs')];

/** The Node of a version of Nest: this one, if it is new enough. */
const nodes: Record<Nest, string> = {
  '11': process.execPath,
  '12':
    Number(process.versions.node.split('.')[0]) >= 22
      ? process.execPath
      : join(root, 'node_modules/.cache/nodes/22/node_modules/.bin/node'),
};

/** What `npm run setup` has not brought. */
export function whatIsMissing(): string[] {
  return nests
    .flatMap((nest) => [join(here, nest, 'node_modules/@nestjs/core'), nodes[nest]])
    .filter((it) => !existsSync(it));
}

/** What the applications use of the package, as it is shipped. */
export async function buildPackage(): Promise<string> {
  const folder = aFolder(join(here, 'temp'));
  if (typeof settings === 'function' || Array.isArray(settings)) throw new Error('one build makes all entries');
  const { index, nestjs, typeorm, testing } = settings.entry as Record<string, string>;
  const entry = { index, nestjs, typeorm, testing } as Record<string, string>;
  await build({ ...settings, entry, config: false, dts: false, silent: true, outDir: join(folder, 'dist') });
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
  return folder;
}

/** Compiles all applications into a folder beside one version of Nest. */
export function compile(nest: Nest, built: string): string {
  const folder = aFolder(join(here, nest, 'temp'));
  cpSync(built, join(folder, 'node_modules/unstale'), { recursive: true });
  for (const format of formats) {
    mkdirSync(join(folder, format));
    writeFileSync(
      join(folder, format, 'package.json'),
      JSON.stringify({ type: format === 'esm' ? 'module' : 'commonjs' }),
    );
    for (const source of sources)
      for (const file of readdirSync(source).filter((it) => it.endsWith('.ts'))) {
        const { outputText } = ts.transpileModule(readFileSync(join(source, file), 'utf8'), {
          fileName: file,
          compilerOptions: {
            module: format === 'esm' ? ts.ModuleKind.ESNext : ts.ModuleKind.CommonJS,
            target: ts.ScriptTarget.ES2022,
            experimentalDecorators: true,
            emitDecoratorMetadata: true,
            esModuleInterop: true,
          },
        });
        writeFileSync(join(folder, format, file.replace(/\.ts$/, '.js')), outputText);
      }
  }
  return folder;
}

export interface App {
  readonly child: ChildProcess;
  /** What it has written on both streams. */
  output(): string;
  /** The next message. Fails with what it wrote if it ends before. */
  next<T = any>(): Promise<T>;
  /** Resolves when it has ended. */
  ended: Promise<unknown>;
}

/** Starts an application of a compiled folder. */
export function start(nest: Nest, file: string, ...args: string[]): App {
  const child = fork(file, args, {
    execPath: nodes[nest],
    execArgv: ['--expose-gc'],
    silent: true,
    env: { ...process.env, NO_COLOR: '1' },
  });
  const messages: unknown[] = [];
  let output = '';
  child.stdout?.on('data', (text) => (output += text));
  child.stderr?.on('data', (text) => (output += text));
  child.on('message', (message) => messages.push(message));
  const ended = once(child, 'close');
  return {
    child,
    output: () => output,
    async next<T>() {
      while (messages.length === 0 && (await Promise.race([once(child, 'message'), ended.then(() => undefined)])));
      if (messages.length === 0) throw new Error(`ended without an answer:\n${output}`);
      return messages.shift() as T;
    },
    ended,
  };
}

export function remove(...folders: (string | undefined)[]): void {
  for (const folder of folders) if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
}

function aFolder(parent: string): string {
  mkdirSync(parent, { recursive: true });
  return mkdtempSync(join(parent, 'run-'));
}

/** What the compiler says about the applications, with the types of this version of Nest. */
export function typeErrors(folder: string): string {
  const { compilerOptions } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config;
  const paths = Object.fromEntries(
    Object.entries<string[]>(compilerOptions.paths).map(([name, [file]]) => [name, [join(root, file as string)]]),
  );
  const { options } = ts.convertCompilerOptionsFromJson(
    {
      ...compilerOptions,
      paths,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      rootDir: root,
      types: ['node'],
    },
    folder,
  );
  const files: string[] = [];
  for (const source of sources)
    for (const file of readdirSync(source).filter((it) => it.endsWith('.ts'))) {
      cpSync(join(source, file), join(folder, 'esm', file));
      files.push(join(folder, 'esm', file));
    }
  const program = ts.createProgram(files, options);
  const found = files.flatMap((file) => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)));
  return ts.formatDiagnostics(found, {
    getCanonicalFileName: (it) => it,
    getCurrentDirectory: () => folder,
    getNewLine: () => '\n',
  });
}
