import { Component, type ComponentChildren } from 'preact';

interface ErrorBoundaryProps {
  readonly onError: (error: unknown) => void;
  readonly children: ComponentChildren;
}

/** Reports errors of rendering to the shell, which shows a placeholder. */
export class ErrorBoundary extends Component<ErrorBoundaryProps, { failed: boolean }> {
  override state = { failed: false };

  static override getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override componentDidCatch(error: unknown): void {
    this.props.onError(error);
  }

  override render() {
    return this.state.failed ? null : this.props.children;
  }
}
