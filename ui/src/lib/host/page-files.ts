/** Files that are dragged onto a browser's page: their names, for a browser keeps their paths to itself. */
import type { FileWatcher } from './host';

const holdsFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;

/** A file that falls beside the picture must not replace the desk with itself, which is what a browser does otherwise. */
export function keepPage() {
  for (const kind of ['dragover', 'drop'] as const) {
    window.addEventListener(kind, (event) => {
      if (holdsFiles(event)) event.preventDefault();
    });
  }
}

export function watchFilesOfPage(watcher: FileWatcher): () => void {
  const at = (event: DragEvent) => ({ x: event.clientX, y: event.clientY });
  const over = (event: DragEvent) => {
    if (!holdsFiles(event)) return;
    if (event.dataTransfer) event.dataTransfer.dropEffect = 'copy';
    watcher.over(at(event));
  };
  // Between two elements of the page it leaves one for the other; only out of the window there is no other.
  const left = (event: DragEvent) => event.relatedTarget === null && watcher.left();
  const dropped = (event: DragEvent) => {
    const files = [...(event.dataTransfer?.files ?? [])].map(({ name }) => ({ name }));
    if (holdsFiles(event)) watcher.dropped(at(event), files);
  };
  window.addEventListener('dragover', over);
  window.addEventListener('dragleave', left);
  window.addEventListener('drop', dropped);
  return () => {
    window.removeEventListener('dragover', over);
    window.removeEventListener('dragleave', left);
    window.removeEventListener('drop', dropped);
  };
}
