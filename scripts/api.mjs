// Reports of the public API, one for each entry, under docs/api: what a change does to users is then seen in its diff.
// `npm run api` writes them; without --update a report that differs from the built package is an error.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';
import { entries, manifest, root } from './entries.mjs';

const update = process.argv.includes('--update');
const folder = join(root, 'docs/api');
mkdirSync(folder, { recursive: true });
const failed = entries.filter((entry) => !report(entry));
if (failed.length > 0) {
  console.error(
    `api: differs for ${failed.map((entry) => entry.name).join(', ')}. If it is meant: npm run api, and commit docs/api.`,
  );
  process.exitCode = 1;
} else console.log(`api: ${entries.length} reports ${update ? 'written' : 'hold'}`);

function report({ name, types }) {
  const reportFileName = `${name.replaceAll('/', '-')}.api.md`;
  const config = ExtractorConfig.prepare({
    packageJson: manifest,
    packageJsonFullPath: join(root, 'package.json'),
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: types,
      newlineKind: 'lf',
      compiler: { tsconfigFilePath: join(root, 'tsconfig.sources.json') },
      apiReport: {
        enabled: true,
        reportFileName,
        reportFolder: folder,
        reportTempFolder: join(root, 'temp/api'),
      },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Warning } },
        // Written into the report, where a change of it shows.
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.Warning, addToApiReportFile: true },
          'ae-missing-release-tag': { logLevel: ExtractorLogLevel.None },
          // typedoc sees to these, without line numbers of built files, which move with every change.
          'ae-undocumented': { logLevel: ExtractorLogLevel.None },
          'ae-forgotten-export': { logLevel: ExtractorLogLevel.None },
        },
        // typedoc checks the comments.
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
  });
  const result = Extractor.invoke(config, {
    localBuild: update,
    messageCallback(message) {
      // Its own words about the report name a copy to be made by hand; the difference itself says more.
      if (message.messageId.startsWith('console-')) message.handled = true;
    },
  });
  if (!result.succeeded) showDifference(reportFileName);
  return result.succeeded;
}

function showDifference(file) {
  const files = [join(folder, file), join(root, 'temp/api', file)];
  spawnSync('git', ['--no-pager', 'diff', '--no-index', ...files], { stdio: ['ignore', 'inherit', 'inherit'] });
}
