import { LabIcon } from '@jupyterlab/ui-components';

/** Stages, one after another. */
export const pipelineIcon = new LabIcon({
  name: 'stagebook:pipeline',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="16">
  <g class="jp-icon3" fill="#616161">
    <rect x="3" y="2" width="10" height="5.5" rx="1.4"/>
    <rect x="7" y="9.25" width="10" height="5.5" rx="1.4"/>
    <rect x="11" y="16.5" width="10" height="5.5" rx="1.4"/>
    <path d="M9 7h2v3H9zM13 14h2v3h-2z"/>
  </g>
</svg>`
});
