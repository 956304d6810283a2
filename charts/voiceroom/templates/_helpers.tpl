{{/* Name of the operator's objects. */}}
{{- define "voiceroom.name" -}}
{{- $release := .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- $usual := contains "voiceroom" $release | ternary $release (printf "%s-voiceroom" $release) -}}
{{- .Values.fullnameOverride | default (printf "%s-operator" $usual) | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{- define "voiceroom.selector" -}}
app.kubernetes.io/name: voiceroom
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "voiceroom.labels" -}}
{{ include "voiceroom.selector" . }}
{{ include "voiceroom.moreLabels" . }}
{{- end }}

{{- define "voiceroom.testLabels" -}}
app.kubernetes.io/name: voiceroom
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: test
{{ include "voiceroom.moreLabels" . }}
{{- end }}

{{- define "voiceroom.clockProbeName" -}}
{{- printf "%s-clock-probe" (include "voiceroom.name" . | trimSuffix "-operator" | trunc 51 | trimSuffix "-") -}}
{{- end }}

{{- define "voiceroom.clockProbeSelector" -}}
app.kubernetes.io/name: voiceroom
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: clock-probe
{{- end }}

{{- define "voiceroom.clockProbeLabels" -}}
{{ include "voiceroom.clockProbeSelector" . }}
{{ include "voiceroom.moreLabels" . }}
{{- end }}

{{- define "voiceroom.chaosDoorName" -}}
{{- printf "%s-chaos-door" (include "voiceroom.name" . | trimSuffix "-operator" | trunc 52 | trimSuffix "-") -}}
{{- end }}

{{- define "voiceroom.chaosDoorSelector" -}}
app.kubernetes.io/name: voiceroom
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: chaos-door
{{- end }}

{{- define "voiceroom.chaosDoorLabels" -}}
{{ include "voiceroom.chaosDoorSelector" . }}
{{ include "voiceroom.moreLabels" . }}
{{- end }}

{{/* What the chaos door may do in each namespace whose rooms are run. */}}
{{- define "voiceroom.chaosDoorRules" -}}
- apiGroups: [""]
  resources: [pods]
  verbs: [get]
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- end }}

{{- define "voiceroom.moreLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: voiceroom
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "voiceroom.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "voiceroom.name" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end }}

{{- define "voiceroom.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end }}

{{/* Whose rooms are run, as JSON; with scope.allNamespaces nobody asks. */}}
{{- define "voiceroom.namespaces" -}}
{{- .Values.scope.namespaces | default (list .Release.Namespace) | uniq | sortAlpha | toJson -}}
{{- end }}

{{/* Whether this chart makes the ServiceAccount of mixer pods; empty = no. */}}
{{- define "voiceroom.makesMixerServiceAccount" -}}
{{- if not (or .Values.scope.allNamespaces .Values.mixer.serviceAccount.name) }}yes{{ end -}}
{{- end }}

{{- define "voiceroom.mixerServiceAccount" -}}
{{- if .Values.mixer.serviceAccount.name -}}
{{- .Values.mixer.serviceAccount.name -}}
{{- else -}}
{{- .Values.scope.allNamespaces | ternary "default" "voiceroom-mixer" -}}
{{- end -}}
{{- end }}

{{/* What the operator may do in each namespace whose rooms it runs. */}}
{{- define "voiceroom.watchedRules" -}}
- apiGroups: [voiceroom.dev]
  resources: [voicerooms]
  verbs: [get, list, watch]
- apiGroups: [voiceroom.dev]
  resources: [voicerooms/status]
  verbs: [patch]
- apiGroups: [voiceroom.dev]
  resources: [mixerpools]
  verbs: [create, get, list, patch, watch]
- apiGroups: [voiceroom.dev]
  resources: [mixerpools/status]
  verbs: [patch]
- apiGroups: [""]
  resources: [pods]
  verbs: [create, delete, get, list, patch, watch]
- apiGroups: [""]
  resources: [pods/resize]
  verbs: [patch]
- apiGroups: [""]
  resources: [services]
  verbs: [create, get, patch]
- apiGroups: [""]
  resources: [secrets]
  verbs: [create, get, patch]
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [create, get, patch]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [create, delete, get, patch]
{{- end }}
