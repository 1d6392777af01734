import { run } from '../../jest.shared.mjs';

export default { ...run, projects: ['<rootDir>/jest.project.mjs'] };
