# Written by `npm run docs`: change the sources, not this file.
_holdfast() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words="" choices=""
  COMPREPLY=()
  if ((COMP_CWORD == 1)) && [[ $current != -* ]]; then
    COMPREPLY=($(compgen -W "run check lsp status explain log-level dump reload restart positions doctor switchover takeover rejoin skip fence init-writer release-stale lvs drain undrain metrics token witness history events probe realserver genhash sim lab mha" -- "$current"))
    return
  fi
  case $previous in
    --role) COMPREPLY=($(compgen -W "read operate admin" -- "$current")); return ;;
    -f | --use-file | -g | --log-file | -p | --pid | -r | --vrrp_pid | -c | --checkers_pid | --state-dir | --socket | --file) COMPREPLY=($(compgen -f -- "$current")); return ;;
    -S | --log-facility | -u | --umask | -s | --namespace | -i | --config-id | -t | --config-test | --signum | --debug | --log-format | --format | --wait | --timeout | --listen | --vip | --accept-extra | --service | --instance | --server | --since | --limit | --kind) return ;;
  esac
  case ${COMP_WORDS[1]} in
    run) words="-f --use-file -n --dont-fork -l --log-console -D --log-detail -S --log-facility -g --log-file --flush-log-file -G --no-syslog -d --dump-conf -p --pid -r --vrrp_pid -u --umask -s --namespace -R --dont-respawn -m --core-dump -e --all-config -i --config-id -t --config-test -v --version --signum --debug -P --vrrp -C --check -T --genhash -I --dont-release-ipvs -c --checkers_pid --state-dir --socket --log-format --help" choices="" ;;
    check) words="-f --use-file -i --config-id --strict --format --json --fix --dry-run --help" choices="" ;;
    lsp) words="-f --use-file --help" choices="" ;;
    status) words="--socket -p --pid --json -w --watch --wait --timeout --help" choices="" ;;
    explain) words="--socket -p --pid --json --help" choices="" ;;
    log-level) words="--socket -p --pid --json --help" choices="error warning info detail debug" ;;
    dump) words="--socket -p --pid --json --help" choices="data stats stats-clear json" ;;
    reload) words="--socket -p --pid --json --dry-run --help" choices="" ;;
    restart) words="--socket -p --pid --json --dry-run --help" choices="" ;;
    positions) words="--socket -p --pid --json --watch --help" choices="" ;;
    doctor) words="--socket -p --pid --json -f --use-file -i --config-id --listen --lvs --vip --help" choices="" ;;
    switchover) words="--socket -p --pid --json --dry-run --help" choices="" ;;
    takeover) words="--socket -p --pid --json --dry-run --accept-loss --without-store --help" choices="" ;;
    rejoin) words="--socket -p --pid --json --dry-run --reseed --accept-extra --help" choices="" ;;
    skip) words="--socket -p --pid --json --yes --help" choices="" ;;
    fence) words="--socket -p --pid --json --off --help" choices="" ;;
    init-writer) words="--socket -p --pid --json --help" choices="" ;;
    release-stale) words="--socket -p --pid --json --dry-run --help" choices="" ;;
    lvs) words="--help" choices="" ;;
    drain) words="--socket -p --pid --json --service --wait --help" choices="" ;;
    undrain) words="--socket -p --pid --json --service --help" choices="" ;;
    metrics) words="--socket -p --pid --help" choices="" ;;
    token) words="--file --role --json --help" choices="add remove list" ;;
    witness) words="-f --use-file --state-dir --help" choices="" ;;
    history) words="--socket -p --pid --json --instance --server --since --limit --kind --state-dir --help" choices="" ;;
    events) words="--socket -p --pid --json --instance --server --since --limit -f --follow --help" choices="" ;;
    probe) words="--help" choices="" ;;
    realserver) words="--help" choices="" ;;
    genhash) words="--help" choices="" ;;
    sim) words="--help" choices="" ;;
    lab) words="--help" choices="" ;;
    mha) words="--help" choices="" ;;
    *) words="-f --use-file -n --dont-fork -l --log-console -D --log-detail -S --log-facility -g --log-file --flush-log-file -G --no-syslog -d --dump-conf -p --pid -r --vrrp_pid -u --umask -s --namespace -R --dont-respawn -m --core-dump -e --all-config -i --config-id -t --config-test -v --version --signum --debug -P --vrrp -C --check -T --genhash -I --dont-release-ipvs -c --checkers_pid --state-dir --socket --log-format" ;;
  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  elif [[ -n $choices ]] && ((COMP_CWORD == 2)); then
    COMPREPLY=($(compgen -W "$choices" -- "$current"))
  else
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}
complete -o filenames -F _holdfast holdfast
