//! The texts of a Kustomization, with what to do about each.

/// Parts of a message, one of each list, and what to do. The first that fits counts.
pub(super) type Row = (&'static [&'static [&'static str]], &'static str);

/// Faults outside the repository.
pub(super) const ELSEWHERE: &[Row] = &[
    (
        &[&[
            "failed calling webhook ",
            "failed to call webhook: ",
            "conversion webhook for ",
        ]],
        WEBHOOK,
    ),
    (
        &[
            &[
                "cannot get sops data key",
                "failed to decrypt",
                "decryption failed for ",
            ],
            &[
                "AccessDenied",
                "not authorized to perform",
                "PermissionDenied",
                "Unauthorized",
            ],
        ],
        "give the identity of kustomize-controller the right to decrypt with the key that the message names",
    ),
    (
        &[
            &["no space left on device"],
            &["failed to untar artifact", "failed to download a", "/tmp/"],
        ],
        "change nothing in the manifest: the disk of kustomize-controller is full, so free space on its node, or raise the limit of its volume",
    ),
    (
        &[&["failed to download a"]],
        "change nothing in the manifest: kustomize-controller does not get the folder from source-controller, so check that source-controller runs, and network policies between the two",
    ),
    (
        &[&["failed to untar artifact"]],
        "change nothing in the manifest: the archive that source-controller serves is broken, and is made again with the source's next revision",
    ),
    (
        &[&["exceeded quota: "]],
        "change nothing in the manifest: a ResourceQuota of the namespace is used up, so make room in it or have it raised",
    ),
    (
        &[&["because it is being terminated"]],
        "change nothing in the manifest: its namespace is being deleted; wait until it is gone, and find out what holds it if it stays",
    ),
    (
        &[&[" dry-run failed"], &[": Unauthorized", "(Unauthorized)"]],
        "change nothing in the manifest: the API server does not accept the controller's own token, so restart kustomize-controller",
    ),
    (
        &[
            &[" dry-run failed"],
            &[
                ": Timeout: ",
                "http2: client connection lost",
                ": EOF",
                ": context deadline exceeded",
                "connection refused",
                ": i/o timeout",
                ": etcdserver: ",
                "the server is currently unable to handle the request",
            ],
        ],
        "change nothing in the manifest: the API server did not answer in time, so check it if the next attempt fails too",
    ),
];

/// Of a webhook that does not answer.
pub(super) const WEBHOOK: &str = "change nothing in the manifest: the admission webhook that the message names does not answer, so check its pods";

/// Of a field that the kind does not have.
pub(super) const FIELD: &str = "remove or correct the field";
/// The same of Flux's own kinds, whose CRDs may be older than the manifest.
pub(super) const FIELD_OF_FLUX: &str =
    "remove the field, or update Flux's CRDs if it is a newer one";

/// A folder that kustomize is to fetch by itself.
const REMOTE: &[&str] = &[
    "accumulating resources from 'https://",
    "accumulating resources from 'http://",
    "accumulating resources from 'ssh://",
    "accumulating resources from 'git@",
];

/// kustomize does not read its own configuration.
const BUILD: &[&str] = &["kustomize build failed", "invalid Kustomization"];

/// Of text that YAML takes for another type.
pub(super) const UNQUOTED: &str = "put the value in quotes: without them YAML reads yes, true or a number as another type than text";

pub(super) const IN_REPOSITORY: &[Row] = &[
    (
        &[
            REMOTE,
            &["certificate has expired", "certificate is not yet valid"],
        ],
        "the folder names a remote base, whose server shows a certificate that is out of date: have its operator renew the certificate, or keep a copy of the base in the repository",
    ),
    (
        &[
            REMOTE,
            &[
                "unable to get local issuer certificate",
                "self-signed certificate",
                "self signed certificate",
                "server certificate verification failed",
                "certificate verify failed",
                "SSL certificate problem",
                "certificate signed by unknown authority",
            ],
        ],
        "the folder names a remote base, and kustomize-controller does not know the authority of its server's certificate: keep a copy of the base in the repository, or make it a source of Flux of its own, whose Secret has the authority as ca.crt",
    ),
    (
        &[
            REMOTE,
            &[
                "could not read Username",
                "could not read Password",
                "Authentication failed",
                "Permission denied (publickey",
                "Host key verification failed",
            ],
        ],
        "the folder names a remote base, for which kustomize-controller has no credentials: keep a copy of the base in the repository, or make it a source of Flux of its own, whose Secret has them",
    ),
    (
        &[
            REMOTE,
            &[
                "Could not resolve host",
                "Failed to connect to ",
                "Connection timed out",
                "timed out",
                "no such host",
            ],
        ],
        "the folder names a remote base, whose server kustomize-controller does not reach: check network policies and a proxy that is needed, or keep a copy of the base in the repository",
    ),
    (
        &[REMOTE],
        "the folder names a remote base, which was not fetched as it should be: keep a copy of it in the repository, or make it a source of Flux of its own",
    ),
    (
        &[
            &["expected string, got &"],
            &[
                "{Value:map[",
                "{Value:[]",
                "{Value:interface {}(nil)",
                "&{map[",
                "&{[",
                "&{<nil>",
            ],
        ],
        "correct the field that the message names: it takes text, and the manifest has a map, a list or nothing there",
    ),
    (
        &[
            &[
                "expected string, got &value.valueUnstructured{",
                "expected string, got &{",
                "cannot unmarshal bool into Go struct field",
                "cannot unmarshal number into Go struct field",
                "Invalid value: \"boolean\": ",
                "Invalid value: \"integer\": ",
                "Invalid value: \"number\": ",
            ],
            &[
                "expected string, got ",
                "of type string",
                "must be of type string",
            ],
        ],
        UNQUOTED,
    ),
    (
        &[&[".sops: field not declared in schema", "field \"sops\""]],
        "the manifest is encrypted with SOPS: set spec.decryption of the Kustomization",
    ),
    (
        &[&[
            "decryption failed for ",
            "cannot get sops data key",
            "failed to decrypt",
        ]],
        "compare the keys that the file is encrypted for with those in the Secret that spec.decryption of the Kustomization names; kustomize-controller reads only its entries that end in .agekey (age) or .asc (OpenPGP), and sops.*-kms and sops.vault-token",
    ),
    (
        &[&["cross-namespace references have been blocked"]],
        "Flux runs with --no-cross-namespace-refs: move the source or the Kustomization, so that both are in one namespace",
    ),
    (
        &[&["KubeConfig secret '"]],
        "correct spec.kubeConfig of the Kustomization, or the entry of the Secret that it names: kustomize-controller reads the one under value or value.yaml",
    ),
    (
        &[&["health checks expressions", "healthchecks expressions"]],
        "correct spec.healthCheckExprs of the Kustomization",
    ),
    (
        &[&["dependency '"], &["is not ready", "not found"]],
        "first fix the Kustomization that the message names, or correct spec.dependsOn",
    ),
    (
        &[&["decryption Secret '"]],
        "create or complete the Secret that spec.decryption of the Kustomization names, in the Kustomization's namespace",
    ),
    (
        &[&["substitute from '"]],
        "create the ConfigMap or Secret that spec.postBuild.substituteFrom of the Kustomization names, or set optional: true for it",
    ),
    (
        &[&["already registered id", "multiple objects with same ID"]],
        "the folder defines the object that the message names twice: remove one of the two files, or its entry in the kustomization",
    ),
    (
        &[&["security; file "]],
        "kustomize reads no files outside the folder of the kustomization: move the file into it, or make a folder with a kustomization of its own of it",
    ),
    (
        &[&["unable to find one of 'kustomization.yaml'"]],
        "add a kustomization.yaml to the folder that the message names, or remove it from the list of resources",
    ),
    (
        &[&[
            "no matches for Id ",
            "unable to find unique target for patch",
            "find unique target for patch",
        ]],
        "a patch or a replacement names an object that the folder does not have: correct its target, or remove the patch with the object",
    ),
    (
        &[&["cycle detected: candidate root"]],
        "two folders list each other as resources: remove one of the two entries",
    ),
    (
        &[&["missing metadata.name in object"]],
        "set metadata.name in the manifest; without a resources list every YAML file of the folder counts as a manifest",
    ),
    (
        &[&["field is immutable"]],
        "undo the change of the field: it can only be set when the object is created",
    ),
    (
        &[&["kustomization path not found", "failed to find path"]],
        "correct spec.path of the Kustomization, or restore the folder in the repository",
    ),
    (
        &[&[
            "variable substitution failed",
            "envsubst error",
            "var substitution failed",
        ]],
        "set the variable in spec.postBuild of the Kustomization, or write $${ where ${ is meant as text",
    ),
    (
        &[&[".valuesFile: field not declared in schema"]],
        "write valuesFiles, a list, in place of valuesFile",
    ),
    (
        &[&["namespace not specified"]],
        "set metadata.namespace in the manifest",
    ),
    (
        &[&[": namespaces \""], &["\" not found"]],
        "create the namespace that the message names, or correct metadata.namespace in the manifest",
    ),
    (
        &[&["metadata.managedFields must be nil"]],
        "the manifest was exported from a cluster: remove metadata.managedFields from it, and with it status and what else the API server sets (metadata.uid, resourceVersion, creationTimestamp, generation)",
    ),
    (
        &[
            BUILD,
            &[
                "json: unknown field \"spec\"",
                "json: unknown field \"status\"",
                "json: unknown field \"data\"",
                "json: unknown field \"stringData\"",
            ],
        ],
        "a file named kustomization.yaml holds an object, for instance a Kustomization of Flux. That name is for kustomize's own configuration: rename the file, and list it under resources",
    ),
    (
        &[BUILD, &["json: unknown field \""]],
        "a kustomization.yaml of the folder has a field that kustomize does not know: correct or remove it",
    ),
    (&[&["field not declared in schema", "unknown field"]], FIELD),
    (
        &[&["no matches for kind"]],
        "use a version of the kind that the cluster serves, or install the CRD first",
    ),
    (
        &[&[" is forbidden: User "]],
        "grant the right to the account that the Kustomization uses (spec.serviceAccountName)",
    ),
    (
        &[&[
            "MalformedYAMLError",
            "error converting YAML to JSON",
            ": yaml: ",
        ]],
        "correct the YAML of the file",
    ),
    (
        &[
            &["kustomize build failed"],
            &[": no such file or directory"],
        ],
        "restore the file that the message names, or remove it from the list of the kustomization",
    ),
    (
        &[&["kustomize build failed"]],
        "build the folder with kubectl kustomize to see it, and correct it",
    ),
    (
        &[&[" dry-run failed"]],
        "correct what the API server refuses",
    ),
];
