// Type-checks every `ts` block of README.md, docs/**/*.md and the comments of src and adapters, against the sources.
// Each block is a module of its own; names that many of them use, such as `db`, are declared in docs/prelude.d.ts.
// A block whose first line is `// @nocheck` is left out, and counted.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { root } from './entries.mjs';

const documents = [join(root, 'README.md'), ...filesOf('docs', '.md')].filter(existsSync);
const sources = [...filesOf('src', '.ts'), ...filesOf('adapters', '.ts')];
const blocks = [
  ...documents.flatMap((file) => blocksOf(file, readFileSync(file, 'utf8'))),
  ...sources.flatMap((file) => blocksOf(file, commentsOf(readFileSync(file, 'utf8')))),
];
const left = blocks.filter((block) => block.code.trimStart().startsWith('// @nocheck'));
const checked = blocks.filter((block) => !left.includes(block));
const faults = check(checked);

for (const fault of faults) console.error(fault);
for (const block of left) console.log(`not checked: ${place(block)}`);
console.log(`docs: ${checked.length} blocks checked, ${left.length} not checked, ${faults.length} faults`);
if (faults.length > 0) process.exitCode = 1;

function filesOf(folder, end) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true })
    .filter((name) => name.endsWith(end) && !/^(api|site)[/\\]/.test(name))
    .map((name) => join(root, folder, name))
    .sort();
}

/** The text with everything but the doc comments blanked, line for line. */
function commentsOf(text) {
  let inside = false;
  return text
    .split('\n')
    .map((line) => {
      const starts = /^\s*\/\*\*/.test(line);
      inside ||= starts;
      const comment = inside && !starts ? line.replace(/^\s*\* ?/, '') : '';
      if (line.includes('*/')) inside = false;
      return comment;
    })
    .join('\n');
}

function blocksOf(file, text) {
  const found = [];
  let open;
  for (const [i, line] of text.split('\n').entries()) {
    const fence = /^(\s*)```(.*)$/.exec(line);
    if (fence && !open)
      open = { file, line: i + 1, isTs: /^(ts|typescript)\b/.test(fence[2]), indent: fence[1].length, lines: [] };
    else if (fence) {
      if (open.isTs) found.push({ file, line: open.line, code: open.lines.join('\n') });
      open = undefined;
    } else open?.lines.push(line.slice(Math.min(open.indent, line.length - line.trimStart().length)));
  }
  return found;
}

function check(blocks) {
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config;
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: ['x.ts'] }, ts.sys, root);
  // Beside its document, so that its imports are looked up from there, and on the document's own lines.
  const modules = new Map(
    blocks.map((block) => [`${block.file}.${block.line}.ts`, `export {};${'\n'.repeat(block.line)}${block.code}`]),
  );
  const host = ts.createCompilerHost(options, true);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (name) => modules.has(name) || fileExists(name);
  host.readFile = (name) => modules.get(name) ?? readFile(name);
  host.getSourceFile = (name, language, ...rest) =>
    modules.has(name)
      ? ts.createSourceFile(name, modules.get(name), language, true)
      : getSourceFile(name, language, ...rest);

  const prelude = join(root, 'docs/prelude.d.ts');
  const program = ts.createProgram([...modules.keys(), ...(existsSync(prelude) ? [prelude] : [])], options, host);
  return blocks.flatMap((block) => {
    const file = program.getSourceFile(`${block.file}.${block.line}.ts`);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map((it) => {
      const line = file.getLineAndCharacterOfPosition(it.start).line + 1;
      return `${place({ ...block, line })} TS${it.code}: ${ts.flattenDiagnosticMessageText(it.messageText, '\n')}`;
    });
  });
}

function place({ file, line }) {
  return `${relative(root, file)}:${line}`;
}
