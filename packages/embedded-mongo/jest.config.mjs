import { run } from '../../jest.shared.mjs';
import { others, unit } from './jest.project.mjs';

export default { ...run, projects: [unit, others] };
