import * as module from './jest.project.mjs';
import { run } from './jest.shared.mjs';
import * as server from './packages/embedded-mongo/jest.project.mjs';

export default { ...run, projects: [module.unit, module.others, server.unit, server.others] };
