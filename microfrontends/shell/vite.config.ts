import { microFrontend } from '../build/micro-frontend.ts';
import { sharedLibraries, sharedLibraryInputs } from '../build/shared-libraries.ts';
import { pages } from './src/pages.ts';

export default microFrontend({
  name: 'shell',
  title: 'Tidegate',
  entry: 'shell',
  input: { shell: 'src/index.tsx', ...sharedLibraryInputs },
  exposes: sharedLibraries,
  pages,
  provides: 'shared-libraries',
});
