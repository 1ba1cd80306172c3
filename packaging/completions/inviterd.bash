# bash completion for inviterd(8)                                  -*- shell-script -*-

# Puts the words that begin with $1 into COMPREPLY.
_inviterd_words() {
    mapfile -t COMPREPLY < <(compgen -W "$2" -- "$1")
}

# Directories, and files whose names match one of the patterns.
_inviterd_paths() {
    local word=$1 pattern
    shift
    compopt -o filenames
    mapfile -t COMPREPLY < <(
        compgen -d -- "$word"
        for pattern; do
            compgen -f -X "!$pattern" -- "$word"
        done | while IFS= read -r path; do
            # Directories are there already.
            [[ -d $path ]] || printf '%s\n' "$path"
        done
    )
}

_inviterd_instances() {
    local file names=
    for file in /etc/inviterd/*/inviterd.conf; do
        [[ -e $file ]] || continue
        file=${file%/inviterd.conf}
        names+=" ${file##*/}"
    done
    _inviterd_words "$1" "$names"
}

_inviterd() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command="" i
    local options="--config --members --policy --users --base-url --state-dir --instance --output
        --all --quiet --verbose --color --help --version"
    COMPREPLY=()

    # bash makes three words of --option=value.
    if [[ $word == = ]]; then
        word=
    elif [[ $before == = ]] && ((COMP_CWORD > 1)); then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi

    case $before in
    -c | --config)
        _inviterd_paths "$word" '*.conf'
        return
        ;;
    -m | --members)
        _inviterd_paths "$word" '*.conf' '*.json'
        return
        ;;
    --state-dir)
        _inviterd_paths "$word"
        return
        ;;
    --policy)
        _inviterd_words "$word" "sync create-only"
        return
        ;;
    --users)
        _inviterd_words "$word" "off observe manage"
        return
        ;;
    -o | --output)
        _inviterd_words "$word" "text json"
        return
        ;;
    --color)
        _inviterd_words "$word" "auto always never"
        return
        ;;
    --instance)
        _inviterd_instances "$word"
        return
        ;;
    --base-url | --approve)
        return
        ;;
    esac

    # The command is the first word that is neither an option nor the value of one.
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -c | -m | -o | --config | --members | --policy | --users | --base-url | --state-dir | \
            --instance | --output | --color | --approve)
            [[ ${COMP_WORDS[i + 1]} != = ]] || ((++i))
            ((++i))
            ;;
        -*) ;;
        *)
            command=${COMP_WORDS[i]}
            break
            ;;
        esac
    done

    if [[ $word == -* ]]; then
        [[ -n $command && $command != apply ]] || options+=" --approve"
        [[ -n $command && $command != run ]] || options+=" --dry-run"
        _inviterd_words "$word" "$options"
    elif [[ -z $command ]]; then
        _inviterd_words "$word" "check plan apply run approve status list show export"
    fi
    # Ids are not offered: whoever approves a plan or looks at an invite has just read its id.
}

complete -F _inviterd inviterd
